package lockstep.preflight;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import lockstep.assembly.Assembly.Stack;

/** Whether the account has the availability zones that the subnets are in. @param names the zones that the templates name */
record Zones(List<String> names) implements Check {
    static Zones of(List<Stack> stacks) {
        var names = new TreeSet<String>();
        for (Stack stack : stacks)
            stack.resources("AWS::EC2::Subnet").values().forEach(s -> names.add(s.at("/Properties/AvailabilityZone").asString("")));
        return new Zones(List.copyOf(names));
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
        String found = String.join(", ", zones), needed = String.join(", ", names);
        return zones.containsAll(names) ? Result.ok(found, needed)
                : Result.wrong(found, needed, "choose a region whose zones the account has");
    }
}
