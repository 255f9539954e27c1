"""How soon pages of the dashboard show what they are for: a list of ten thousand searches, and the losses of one with half a million points.

A real API in a process of its own, with keys, and the system's Chromium without a window. The time is the page's own: from the beginning of its
navigation until the rows, or the curves, are there. First in a browser that has nothing of it, then again with what that has kept.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass, field
from uuid import UUID

import torch
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy.orm import Session

from benchmarks import report
from benchmarks.api import Server, service
from benchmarks.api_lists import multiply
from benchmarks.api_rows import WAITING, filled, populate
from benchmarks.series import fill
from store import keys
from tests.browser import chromium

#: Milliseconds after which a page is given up.
_PATIENCE = 60_000


@dataclass
class Opened:
    """A page, by what it has to have: a number of elements. What it took, ms."""

    name: str
    route: str
    elements: str
    count: int
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)

    def turn(self, browser: Browser, server: Server, key: str) -> None:
        """Opens it in a browser that does not know it, then once more. To look at it at every frame takes what its policy forbids."""
        context = browser.new_context(viewport={"width": 1400, "height": 900}, bypass_csp=True)
        context.add_init_script(f"sessionStorage.setItem('dna-key', '{key}')")
        self.first.append(self._open(context, server))
        self.again.append(self._open(context, server))
        context.close()

    def _open(self, context: BrowserContext, server: Server) -> float:
        page = context.new_page()
        page.goto(f"{server.url}/{self.route}", wait_until="commit")
        there = f"document.querySelectorAll({self.elements!r}).length >= {self.count} && performance.now()"
        took = float(page.wait_for_function(there, polling="raf", timeout=_PATIENCE).json_value())
        page.close()
        return took

    def row(self) -> list[str]:
        figures = (min(self.first), statistics.median(self.first), min(self.again), statistics.median(self.again))
        return [self.name, *(f"{figure:.0f}" for figure in figures)]


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    path = chromium.find()
    if path is None:
        sys.exit(chromium.MISSING)
    report.print_header("dashboard", torch.device("cpu"))

    def rows(session: Session) -> tuple[UUID, str]:
        model = populate(session, WAITING + 1)
        multiply(session, model, arguments.searches)
        fill(session, model, arguments)
        return model, keys.create(session, "benchmark", project="default")[1]

    with filled(rows) as (folder, servers, _, (model, key)):
        settings = {
            "DNA_DATABASE_URL": servers.database_url,
            "DNA_REDIS_URL": servers.redis_url,
            "DNA_DATA_DIR": str(folder),
        }
        pages = [
            Opened(f"list of {arguments.searches:,} searches", "#/searches", "main tbody tr", 50),
            Opened(
                f"losses, {arguments.cells * arguments.of_each:,} points",
                f"#/searches/{model}?tab=losses",
                "main canvas",
                1,
            ),
        ]
        with service(folder, settings, key) as server, chromium.running(path) as browser:
            for turn in range(arguments.rounds + 1):
                for page in pages:
                    page.turn(browser, server, key)
                    if turn == 0:  # The service and its database are warm from then on.
                        page.first, page.again = [], []
    print(f"{arguments.rounds} rounds\n")
    columns = ["page", "first visit: least, ms", "median", "again: least, ms", "median"]
    report.print_table(columns, [page.row() for page in pages])


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=10_000)
    parser.add_argument("--cells", type=int, default=16, help="series of losses")
    parser.add_argument("--of-each", type=int, default=31_250, help="points of a series")
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
