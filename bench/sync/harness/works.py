"""The works that are measured, with their contenders and number of rounds."""

from dataclasses import dataclass

from machine import rotated

TABLES = "ingredient disease postal_code drug drug_interaction"
ENGINE = "engine"
WARM = "engine-warm"
ROLLBACK = "engine-rollback"
ENGINES = (ENGINE, WARM, ROLLBACK)
COPY_TO_COPY = "limit-copy-to-copy-text"
RECIPES = ("stage-update", "row-hashes", "swap")


@dataclass(frozen=True)
class Work:
    """
    stride: one row in this many is changed at the source; 0 for none. live: the target has the old rows and is being read.
    often: contenders that run in every round, because a target figure depends on them. once: those that run in one round.
    minutes: the duration at scale 1 on two CPUs, for the estimate of the remaining time.
    """

    name: str
    title: str
    often: tuple
    minutes: float
    once: tuple = ()
    rounds: int = 3
    stride: int = 0
    live: bool = True
    tables: str = TABLES
    times: int = 1  # multiplies the number of drugs

    @property
    def contenders(self):
        return (*self.often, *self.once)

    def turns(self, rounds):
        """Returns (round, contender) in order of execution, which rotates by one each round."""
        rounds = min(rounds, self.rounds)
        for number in range(rounds):
            for name in (*rotated(self.often, number), *(name for i, name in enumerate(self.once) if i % rounds == number)):
                yield number, name


# Sorted by importance, so that an interrupted benchmark has the most important ones.
ALL = (
    Work("empty", "Full copy into empty, with indexes and keys", ("pg_dump-restore", ENGINE), 4.3, once=("pgcopydb", WARM), live=False),
    Work("1", "1 % changed, spread evenly, all tables", (ENGINE, "row-hashes", WARM), 4.8, once=("swap", "stage-update"), stride=100),
    Work(
        "100",
        "Refresh under live references, all rows changed",
        ("swap", ENGINE),
        7.7,
        once=(WARM, "delete-copy", "truncate-copy"),
        stride=1,
    ),
    Work("nothing", "Nothing changed", (ENGINE, WARM), 1.6, once=("stage-update",), rounds=2),
    Work("limits", "The limits", (COPY_TO_COPY,), 1.5, once=("limit-copy-out-text-1", "limit-copy-out-text-2"), live=False),
    Work("drugs", "1 % changed, only the drugs", (ENGINE, WARM, "row-hashes"), 1.1, rounds=1, stride=100, tables="drug"),
    Work("rollback", "Rollback of a 1 % sync", (ROLLBACK,), 1.3, rounds=2, stride=100),
    Work("0.1", "0.1 % changed, spread evenly, all tables", (ENGINE, WARM), 1.7, once=("row-hashes",), rounds=2, stride=1000),
    Work("0.01", "0.01 % changed, spread evenly, all tables", (ENGINE, WARM), 0.7, rounds=1, stride=10000),
    Work("10", "10 % changed, spread evenly, all tables", (ENGINE, "row-hashes"), 1.8, rounds=1, stride=10),
    Work("memory", "Ten times the drugs into empty", (ENGINE,), 6.5, rounds=1, live=False, times=10),
)
