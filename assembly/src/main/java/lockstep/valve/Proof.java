package lockstep.valve;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The result of the check.
 *
 * @param reached the permitted rights that each party has through policies; an empty set shows that the party reaches nothing
 * @param doors   the front doors that the internet reaches
 * @param open    the conditions that could not be evaluated and counted as open
 */
public record Proof(List<Attack> attacks, Map<String, Set<String>> reached, Set<String> doors, int stacks, int resources, int identities,
        int resourcePolicies, int statements, Set<String> open) {
    public static Proof of(Templates templates) {
        var policies = new Policies(templates);
        var search = new Search(templates, policies);
        search.run();
        var exposure = new Exposure(templates);
        var attacks = new ArrayList<>(search.attacks());
        attacks.addAll(exposure.attacks());
        attacks.addAll(new Borders(templates).attacks());
        return new Proof(attacks, Collections.unmodifiableMap(search.reached()), exposure.doors(), templates.stackCount(),
                templates.resources().size(), policies.identities().size(),
                policies.resourcePolicies().size(), policies.statementCount(), search.open());
    }

    public boolean holds() {
        return attacks.isEmpty();
    }

    /** Groups the parties by what they reach. */
    Map<Set<String>, List<String>> byReach() {
        var groups = new LinkedHashMap<Set<String>, List<String>>();
        reached.forEach((party, rights) -> groups.computeIfAbsent(rights, same -> new ArrayList<>()).add(party));
        return groups;
    }

    public Object asJson() {
        var json = new TreeMap<String, Object>();
        json.put("holds", holds());
        json.put("attacks",
                attacks.stream().map(attack -> new TreeMap<>(
                        Map.of("claim", attack.claim().name().toLowerCase(Locale.ROOT), "title", attack.title(), "steps", attack.steps())))
                        .toList());
        json.put("reached", reached);
        json.put("frontDoors", doors);
        json.put("looked", new TreeMap<>(Map.of("stacks", stacks, "resources", resources, "identities", identities, "resourcePolicies",
                resourcePolicies, "statements", statements)));
        json.put("openConditions", open);
        return json;
    }
}
