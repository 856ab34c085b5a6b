"""Tests which runs are averaged, how ratios are computed, and when a target is reached."""

import dataclasses
import unittest

from harness import load, measure, report
from harness.contenders import CADDY, GATEWAY, NGINX

GOOD = load.Result(
    requests=1000, errors={}, reconnects=0, rate=1000.0, p50=1e-3, p99=2e-3, cpu=1e-4, upstream_cpu=1e-5, load_cpu=1e-5, others=0.0
)


def oha(statuses, errors, size=1024):
    return {
        "statusCodeDistribution": statuses,
        "errorDistribution": errors,
        "latencyPercentiles": {"p50": 1e-3, "p99": 2e-3},
        "summary": {"total": 2.0, "sizePerRequest": size},
    }


def runs(*rates):
    return [dataclasses.replace(GOOD, rate=rate) for rate in rates]


class Parse(unittest.TestCase):
    def test_only_whole_answers_count(self):
        self.assertEqual(load.parse(oha({"200": 10}, {})), (10, {}, 0, 5.0, 1e-3, 2e-3))
        self.assertEqual(
            load.parse(oha({"200": 10, "429": 2}, {"connection closed": 1}))[:2], (10, {"status 429": 2, "connection closed": 1})
        )
        self.assertTrue(load.parse(oha({"200": 10}, {}, size=1000))[1])

    def test_the_end_of_a_connection_in_good_order_is_no_error_of_http2(self):
        canceled = {"operation was canceled": 2}
        self.assertEqual(load.parse(oha({"200": 2000}, dict(canceled)), http2=True)[1:3], ({}, 2))
        self.assertEqual(load.parse(oha({"200": 1999}, dict(canceled)), http2=True)[1:3], (canceled, 0))
        self.assertEqual(load.parse(oha({"200": 2000}, dict(canceled)))[1:3], (canceled, 0))


class Report(unittest.TestCase):
    def test_a_flagged_run_takes_its_round_along(self):
        ours, theirs = runs(100.0, 900.0, 300.0), runs(100.0, 100.0, 100.0)
        ours[1] = dataclasses.replace(ours[1], errors={"status 502": 1})
        self.assertEqual(report.ratios({GATEWAY: ours, NGINX: theirs}, measure.SATURATION, GATEWAY, NGINX), [1.0, 3.0])
        self.assertEqual(report.ratios({GATEWAY: theirs, NGINX: ours}, measure.SATURATION, GATEWAY, NGINX), [1.0, 1 / 3])

    def test_a_rate_that_was_not_held_is_flagged(self):
        self.assertIn("only 1970", dataclasses.replace(GOOD, rate=1970.0).flaw(measure.RATE))
        self.assertEqual(dataclasses.replace(GOOD, rate=1990.0).flaw(measure.RATE), "")

    def test_targets(self):
        def reached(gateway, caddy, nginx, added):
            slower = [dataclasses.replace(GOOD, rate=2000.0, p50=1e-3 + added, p99=2e-3 + added)]
            measured = measure.Measured(
                {
                    measure.SATURATION: {GATEWAY: runs(gateway), CADDY: runs(caddy), NGINX: runs(nginx)},
                    measure.RATE: {GATEWAY: slower, NGINX: [dataclasses.replace(GOOD, rate=2000.0)]},
                },
                flat=[100] * 8,
            )
            return [ok for _, _, ok in report.targets(measured)]

        self.assertEqual(reached(131, 100, 260, 0.2e-3), [True, True, True, True, True])
        self.assertEqual(reached(129, 100, 260, 0.5e-3), [False, False, False, True, True])
        self.assertEqual(reached(131, 100, 260, 2e-3)[2:4], [False, False])

    def test_what_was_not_measured_is_not_reached(self):
        self.assertEqual([ok for _, _, ok in report.targets(measure.Measured())], [None] * 4)
        everything_flagged = measure.Measured(
            {measure.SATURATION: {GATEWAY: [dataclasses.replace(GOOD, errors={"x": 1})], NGINX: runs(1.0)}}
        )
        self.assertEqual(report.targets(everything_flagged)[1][2], None)

    def test_memory_that_grows_is_not_flat(self):
        self.assertAlmostEqual(report.flatness([10, 10, 100, 100, 100, 100, 100, 100]), 1.0)
        self.assertGreater(report.flatness(list(range(100, 200))), 1.2)

    def test_the_report_names_flagged_runs_and_is_a_table(self):
        flawed = [GOOD, dataclasses.replace(GOOD, errors={"status 502": 3})]
        measured = measure.Measured({measure.SATURATION: {NGINX: [GOOD, GOOD], GATEWAY: flawed}})
        text = report.write(measured, [NGINX, GATEWAY], [("nginx", "1.22")], measure.quick())
        self.assertIn("| saturation-h1-64 | nginx + gateway | 2 | 3 × status 502 |", text)
        self.assertIn("| saturation-h1-64 | **1.00** (1.00 – 1.00) | **1.00** |", text)


class Plan(unittest.TestCase):
    def test_the_whole_plan_has_every_case_once_and_what_the_targets_need(self):
        names = [each.name() for each in measure.full().loads]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(names), 2 * 3 * 3 + 4)
        for plan in (measure.full(), measure.quick()):
            self.assertLessEqual({measure.SATURATION, measure.RATE}, set(plan.loads))


if __name__ == "__main__":
    unittest.main()
