"""The plan of a run and its execution. Runs are interleaved, so that disturbances affect all contenders alike."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from machine import rotated

from .contenders import ALONE, GATEWAY, Field
from .load import Load, run

SATURATION, RATE = Load(64), Load(64, rate=2000)


@dataclass(frozen=True)
class Plan:
    """seconds is the duration of one run of the load tool."""

    loads: tuple
    rounds: int
    seconds: int
    rate_seconds: int
    memory_seconds: int  # duration of the load while a contender's memory is measured
    flat_seconds: int  # duration of the longer load on the gateway


def full():
    protocols = [{}, {"keep_alive": False}, {"http2": True}]
    loads = [
        Load(connections, certificate=certificate, **protocol)
        for certificate in (False, True)
        for protocol in protocols
        for connections in (1, 64, 512)
    ]
    loads += [Load(64, rate=2000, http2=http2, certificate=certificate) for certificate in (False, True) for http2 in (False, True)]
    return Plan(tuple(loads), rounds=5, seconds=3, rate_seconds=6, memory_seconds=10, flat_seconds=300)


def quick():
    loads = (SATURATION, Load(64, http2=True), Load(64, keep_alive=False), RATE, Load(64, certificate=True))
    return Plan(loads, rounds=3, seconds=2, rate_seconds=4, memory_seconds=3, flat_seconds=20)


@dataclass
class Memory:
    """Proportional set size of all processes of a contender in bytes: at the start, the maximum under load, and some seconds after."""

    before: int
    under: int
    after: int


@dataclass
class Measured:
    """results[load][contender] has one Result per round, in the order of rounds."""

    results: dict = field(default_factory=dict)
    memory: dict = field(default_factory=dict)
    flat: list = field(default_factory=list)  # bytes, once a second


def _total(contender):
    return sum(process.memory() for process in contender.processes)


class Runner:
    def __init__(self, tools, directory, names, scheme, say):
        self.tools, self.directory, self.names, self.scheme, self.say = tools, directory, names, scheme, say

    def run(self, plan, memory):
        measured = Measured()
        due = sorted({load.certificate for load in plan.loads}.union([False] * memory))
        for certificate in due[1:]:
            self._arena(certificate).close()  # reports contenders that don't start now instead of in the middle of the run
        for certificate in due:
            loads = [load for load in plan.loads if load.certificate == certificate]
            self.say(f"starting all contenders, {'with' if certificate else 'without'} client certificates")
            with self._arena(certificate) as arena:
                if memory and not certificate:
                    self._memory(arena, plan, measured)
                for load in loads:
                    measured.results[load] = self._rounds(arena, load, plan)
                if memory and not certificate and GATEWAY in arena.contenders:
                    self._flat(arena, plan, measured)
        return measured

    def _arena(self, certificate):
        return Field(self.tools, self.directory, self.names, certificate, self.scheme)

    def _once(self, arena, contender, load, seconds):
        result = run(self.tools.oha, load, seconds, contender.port, arena.settings, contender.processes, arena.upstream)
        arena.empty_logs()
        return result

    def _rounds(self, arena, load, plan):
        results = {name: [] for name in self.names}
        for number in range(plan.rounds):
            for name in rotated(self.names, number):
                results[name].append(self._once(arena, arena.contenders[name], load, plan.rate_seconds if load.rate else plan.seconds))
        for name, runs in results.items():
            rate, p50 = statistics.median(r.rate for r in runs), statistics.median(r.p50 for r in runs)
            self.say(f"{load.name()}: {name}: {rate:,.0f}/s, {p50 * 1e3:.2f} ms")
            for flaw in filter(None, (r.flaw(load) for r in runs)):
                self.say(f"  flagged: {flaw}")
        return results

    def _memory(self, arena, plan, measured):
        for name in self.names:
            if name == ALONE:
                continue
            contender = arena.contenders[name]
            before = _total(contender)
            largest = max(self._watched(arena, contender, Load(512), plan.memory_seconds))
            time.sleep(3)
            measured.memory[name] = Memory(before, largest, _total(contender))
        self.say("memory: " + ", ".join(f"{name} {m.under >> 20} MiB" for name, m in measured.memory.items()))

    def _flat(self, arena, plan, measured):
        measured.flat = self._watched(arena, arena.contenders[GATEWAY], SATURATION, plan.flat_seconds)
        self.say(f"memory over {plan.flat_seconds} s: {min(measured.flat) >> 20} to {max(measured.flat) >> 20} MiB")

    def _watched(self, arena, contender, load, seconds):
        """Returns the memory every half a second. The load runs in a thread, so that memory can be measured at the same time."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self._once, arena, contender, load, seconds)
            samples = [_total(contender)]
            while not running.done():
                time.sleep(0.5)
                samples.append(_total(contender))
            flaw = running.result().flaw(load)
            if flaw:
                self.say(f"  flagged: {contender.name}, memory: {flaw}")
        return samples
