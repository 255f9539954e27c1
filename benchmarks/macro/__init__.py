"""How well blockwise ratings order networks whose accuracies are known: those of NAS-Bench-Macro."""
