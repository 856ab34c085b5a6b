package lockstep.preflight;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly.Stack;

/**
 * Whether the account has the availability zones that the subnets are in.
 *
 * @param names the zones that the templates name
 * @param count how many zones they need; those that they do not name are the account's first ones
 */
record Zones(List<String> names, int count) implements Check {
    static Zones of(List<Stack> stacks) {
        var named = new TreeSet<String>();
        var all = new TreeSet<String>();
        for (Stack stack : stacks)
            for (var subnet : stack.resources("AWS::EC2::Subnet").values()) {
                var zone = subnet.at("/Properties/AvailabilityZone");
                all.add(zone.toString());
                if (zone.isString()) named.add(zone.asString());
            }
        return new Zones(List.copyOf(named), all.size());
    }

    @Override
    public String name() {
        return "availability zones";
    }

    @Override
    public Result of(AccountReader reader) {
        var zones = AccountReader.texts(reader.query("ec2", "DescribeAvailabilityZones",
                Map.of("Filter.1.Name", "zone-type", "Filter.1.Value.1", "availability-zone", "Filter.2.Name", "state", "Filter.2.Value.1",
                        "available")),
                "zoneName");
        // CloudFormation then offers only these
        var defaults = AccountReader.texts(reader.query("ec2", "DescribeSubnets",
                Map.of("Filter.1.Name", "default-for-az", "Filter.1.Value.1", "true")), "availabilityZone");
        var offered = names.isEmpty() && !defaults.isEmpty() ? zones.stream().filter(defaults::contains).toList() : zones;
        String found = String.join(", ", offered), needed = names.isEmpty() ? "any " + count : String.join(", ", names);
        return offered.containsAll(names) && offered.size() >= count ? Result.ok(found, needed)
                : Result.wrong(found, needed, "name two zones of the account in lockstep.yaml: zones: [" + zones.stream().limit(2)
                        .collect(Collectors.joining(", ")) + "]");
    }
}
