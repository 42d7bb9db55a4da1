"""The tables of docs/costs.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scripts import costs
from scripts.costs import Line

Table = Callable[[tuple[str, ...], Sequence[tuple[str, ...]]], str]


def blocks(table: Table) -> dict[str, Callable[[], str]]:
    """Return the generated blocks, each made with `table` (head, rows)."""

    def bill(lines: list[Line]) -> str:
        rows = [(one.part, _amount(one.amount), _unit(one), _usd(one.usd)) for one in lines]
        rows.append(("**together**", "", "", f"**{_usd(costs.total(lines))}**"))
        return table(("part", "how much", "of what", "USD"), rows)

    def prices() -> str:
        listed = costs.price_list()
        rows = [
            (
                one["unit"],
                f"{one['usd']:.10f}".rstrip("0").rstrip("."),
                f"{one['per']:,}",
                f"[{_page(one['source'])}]({one['source']})",
            )
            for one in costs.prices().values()
        ]
        head = f"List prices of {listed['region']}, {listed['currency']}, as of {listed['as_of']}."
        return f"{head}\n\n{table(('of what', 'USD', 'for', 'source'), rows)}"

    def assumed() -> str:
        head = ("assumed", "of what")
        return "\n\n".join(
            [
                "Pipeline:",
                table(head, costs.assumptions(costs.Pipeline())),
                "Phase 1:",
                table(head, costs.assumptions(costs.Phase1())),
            ]
        )

    return {
        "costs-pipeline": lambda: bill(costs.pipeline()),
        "costs-storage": lambda: bill(costs.storage()),
        "costs-standing": lambda: bill(costs.standing()),
        "costs-phase1": lambda: bill(costs.phase1()),
        "costs-assumptions": assumed,
        "costs-prices": prices,
    }


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:,.2f}"  # noqa: PLR2004 - three digits tell


def _unit(line: Line) -> str:
    return str(costs.prices()[line.price]["unit"])


def _usd(amount: float) -> str:
    return f"{amount:,.2f}" if amount >= 0.01 else f"{amount:.4f}"  # noqa: PLR2004 - a cent


def _page(source: str) -> str:
    return source.removeprefix("https://aws.amazon.com/").rstrip("/")
