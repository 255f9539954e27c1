"""The report on a dataset, in lines for people: of the service, and of a check without one."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from dna_client.models import Finding, Report

_STYLES = {"error": "red", "warning": "yellow", "note": ""}
#: Characters of the longest bar of a histogram.
_BAR = 24
#: Classes that are listed before the others are counted.
_CLASSES = 20


def report_lines(report: Report) -> Iterator[Text]:
    """What there is, then what was found: errors, warnings, notes."""
    splits = ", ".join(f"{count:,} to {split}" for split, count in report["splits"].items())
    yield Text(f"images   {splits or 'none'}")
    yield from _classes(report)
    if (sizes := report["sizes"]) is not None:
        yield Text(
            f"sizes    {sizes['smallest']:,} to {sizes['largest']:,} pixels (shorter side), median {sizes['median']:,}"
        )
        most = max(part["images"] for part in sizes["histogram"])
        for part in sizes["histogram"]:
            bar = "█" * max(1, round(_BAR * part["images"] / most))
            yield Text(f"  {part['start']:>6,} to {part['end'] - 1:>6,}  {bar} {part['images']:,}")
    for name in ("modes", "formats"):
        if counts := report[name]:
            yield Text(f"{name:8} {', '.join(f'{count:,} {kind}' for kind, count in counts.items())}")
    for finding in report["findings"]:
        yield Text(f"{finding['level']}: {_sentence(finding)}", _STYLES[finding["level"]])


def _classes(report: Report) -> Iterator[Text]:
    count = report.get("num_classes", len(report["classes"]))
    yield Text(f"classes  {count:,}")
    for counted in report["classes"][:_CLASSES]:
        yield Text(f"  {counted['name']}: {', '.join(f'{n:,} {split}' for split, n in counted['images'].items())}")
    if count > _CLASSES:
        yield Text(f"  and {count - min(_CLASSES, len(report['classes'])):,} more")


def _sentence(finding: Finding) -> str:
    if not finding["names"]:
        return finding["text"]
    left = finding["count"] - len(finding["names"])
    more = f" and {left:,} more" if left > 0 else ""
    return f"{finding['text']} ({finding['count']:,}: {', '.join(finding['names'])}{more})"
