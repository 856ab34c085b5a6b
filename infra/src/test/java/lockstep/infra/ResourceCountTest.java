package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Table;
import org.junit.jupiter.api.Test;

/** CloudFormation allows 500 resources and 1 MB in a stack. A data set is configuration: it adds hardly any resource. */
class ResourceCountTest {
    private static final List<String> STACKS = List.of("production-master-data-source", "production-master-data-target",
            "demo-master-data-target", "demo-functions", "production-shard-clinic-1", "production-shard-clinic-2");

    /** Returns the landscape with this many data sets that nobody starts automatically. */
    private static Assembly with(int dataSets) {
        var clinic = TestLandscapes.clinic();
        var all = IntStream.range(0, dataSets)
                .mapToObj(i -> new DataSet("set-" + i, i % 2 == 0 ? "clinic-1" : "clinic-2",
                        List.of(new Table("master.t" + i, List.of("id", "name"), List.of("id"), Optional.empty()))))
                .toList();
        return Assembly.synthesize("sets-" + dataSets, new Landscape(clinic.product(), clinic.release(), clinic.region(), clinic.accounts(),
                all, clinic.differences(), clinic.delivery(), List.of()));
    }

    private static Map<String, Integer> counts(Assembly assembly) {
        var counts = new TreeMap<String, Integer>();
        for (var stack : STACKS) counts.put(stack, Assembly.count(assembly.templates().get(stack)));
        return counts;
    }

    @Test
    void fiftyDataSetsAddTwoAlarmsAndAScheduleInEachTarget() {
        var two = with(2);
        assertEquals(Map.of("production-master-data-source", 49, "production-master-data-target", 63, "demo-master-data-target", 63,
                "demo-functions", 8, "production-shard-clinic-1", 34, "production-shard-clinic-2", 34), counts(two));
        var fifty = with(50);
        var expected = new TreeMap<>(counts(two));
        for (var account : List.of("production", "demo")) expected.merge(account + "-master-data-target", 3 * 48, Integer::sum);
        assertEquals(expected, counts(fifty));
        assertEquals(two.resources("AWS::Lambda::Function").size(), fifty.resources("AWS::Lambda::Function").size());
        Stream.concat(fifty.templates().values().stream(), two.templates().values().stream())
                .forEach(template -> assertTrue(template.length() < 500_000, () -> "a template of " + template.length() + " characters"));
        assertEquals(List.of(), fifty.findings());
    }
}
