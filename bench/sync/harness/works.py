"""What is measured, and who takes part."""

from dataclasses import dataclass

TABLES = "ingredient disease postal_code drug drug_interaction"
ENGINE = "engine"
WARM = "engine-warm"
ROLLBACK = "engine-rollback"
ENGINES = (ENGINE, WARM, ROLLBACK)
LIMITS = tuple(f"limit-{name}" for name in ("copy-out-text-1", "copy-out-text-2", "copy-out-binary-1", "copy-out-binary-2", "copy-to-copy-text", "copy-to-copy-binary",
                                            "zstd-1", "lz4", "hash"))
RECIPES = ("stage-upsert", "stage-update", "row-hashes")


@dataclass(frozen=True)
class Work:
    """stride: one row in so many was changed at the source, 0 for none. live: the target holds the old rows and is being read."""
    name: str
    title: str
    contenders: tuple
    stride: int = 0
    live: bool = True
    tables: str = TABLES
    times: int = 1  # the drugs of so many times the scale; one round


ALL = (
    Work("limits", "The limits", LIMITS, live=False),
    Work("empty", "Full copy into empty, with indexes and keys", ("pg_dump-restore", "pgcopydb", ENGINE, WARM), live=False),
    Work("100", "Refresh under live references, all rows changed", ("swap", "delete-copy", "truncate-copy", "restore-data-only", *RECIPES, ENGINE, WARM), stride=1),
    Work("10", "10 % changed, spread evenly, all tables", ("swap", *RECIPES, ENGINE, WARM), stride=10),
    Work("1", "1 % changed, spread evenly, all tables", ("swap", *RECIPES, ENGINE, WARM), stride=100),
    Work("0.1", "0.1 % changed, spread evenly, all tables", (*RECIPES, ENGINE, WARM), stride=1000),
    Work("0.01", "0.01 % changed, spread evenly, all tables", (*RECIPES, ENGINE, WARM), stride=10000),
    Work("drugs", "1 % changed, the drugs alone", (*RECIPES, ENGINE, WARM), stride=100, tables="drug"),
    Work("nothing", "Nothing changed", ("stage-update", ENGINE, WARM)),
    Work("rollback", "Rollback of a 1 % sync", (ROLLBACK,), stride=100),
    Work("memory", "Ten times the drugs into empty", (ENGINE,), live=False, times=10),
)
