package lockstep.valve;

import static lockstep.assembly.Evaluator.elements;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/**
 * A policy statement with resolved references.
 *
 * @param principals empty in identity policies
 */
record Statement(Source source, boolean allow, List<Principal> principals, boolean notPrincipals, List<Glob> actions, boolean notActions,
        List<Glob> resources,
        boolean notResources, Conditions conditions) {
    Statement {
        principals = List.copyOf(principals);
        actions = List.copyOf(actions);
        resources = List.copyOf(resources);
    }

    /** The location of a statement. @param what the property of the resource that contains the policy */
    record Source(String account, String stack, String logicalId, String what, int index) {
        @Override
        public String toString() {
            return "%s/%s %s[%d]".formatted(stack, logicalId, what, index);
        }
    }

    /** @param kind AWS, Service, Federated or CanonicalUser */
    record Principal(String kind, String value) {
        boolean isAnyone() {
            return value.equals("*") && (kind.equals("AWS") || kind.equals("*")) || value.contains(Glob.UNKNOWN);
        }
    }

    /** An action on a resource, without the excepted actions and resources. */
    record Right(Glob action, List<Glob> exceptActions, Glob resource, List<Glob> exceptResources) {
        @Override
        public String toString() {
            return action + " on " + resource;
        }
    }

    static List<Statement> of(Source policy, JsonNode document) {
        var statements = new ArrayList<Statement>();
        var list = elements(document.path("Statement"));
        for (int i = 0; i < list.size(); i++) {
            var node = list.get(i);
            boolean allow = !node.path("Effect").asString("").equals("Deny");
            boolean notPrincipals = node.has("NotPrincipal"), notActions = node.has("NotAction"), notResources = node.has("NotResource");
            statements.add(new Statement(new Source(policy.account(), policy.stack(), policy.logicalId(), policy.what(), i), allow,
                    principals(node.path(notPrincipals ? "NotPrincipal" : "Principal")), notPrincipals,
                    // read unknown values so that an Allow covers at least, and a Deny at most, what it can
                    globs(node.path(notActions ? "NotAction" : "Action"), allow != notActions).stream()
                            .map(glob -> Glob.action(glob.spelled())).toList(),
                    notActions,
                    node.has("Resource") || notResources
                            ? globs(node.path(notResources ? "NotResource" : "Resource"), allow != notResources) : List.of(Glob.ANY),
                    notResources,
                    Conditions.of(node.path("Condition"))));
        }
        return statements;
    }

    private static List<Principal> principals(JsonNode node) {
        if (node.isString()) return List.of(new Principal("AWS", node.asString()));
        var principals = new ArrayList<Principal>();
        if (node.isArray()) node.forEach(one -> principals.addAll(principals(one)));
        node.properties().forEach(kind -> strings(kind.getValue()).forEach(value -> principals.add(new Principal(kind.getKey(), value))));
        return principals;
    }

    /** @param wide whether an unknown value matches anything; otherwise it matches nothing */
    private static List<Glob> globs(JsonNode node, boolean wide) {
        var globs = new ArrayList<Glob>();
        for (String value : strings(node)) {
            boolean vague = value.contains(Glob.UNKNOWN) || value.contains("${");
            if (!vague) globs.add(new Glob(value));
            else if (wide) globs.add(new Glob(value.replace(Glob.UNKNOWN, "*").replaceAll("\\$\\{[^}]*}", "*")));
        }
        return globs;
    }

    /** Reports whether the statement certainly applies to the whole right. */
    boolean covers(Right right) {
        boolean actionsCovered = notActions ? !right.action().overlapsOneOf(actions) : right.action().coveredBy(actions);
        boolean resourcesCovered = notResources ? !right.resource().overlapsOneOf(resources) : right.resource().coveredBy(resources);
        return actionsCovered && resourcesCovered;
    }

    /** Returns the rights that the statement allows or denies. */
    List<Right> rights() {
        var rights = new ArrayList<Right>();
        for (Glob action : notActions ? List.of(Glob.ANY) : actions) {
            for (Glob resource : notResources ? List.of(Glob.ANY) : resources) {
                boolean nothing = notActions && action.coveredBy(actions) || notResources && resource.coveredBy(resources);
                if (!nothing)
                    rights.add(new Right(action, notActions ? actions : List.of(), resource, notResources ? resources : List.of()));
            }
        }
        return rights;
    }

    static List<String> strings(JsonNode node) {
        return elements(node).stream().map(element -> element.isString() ? element.asString()
                : element.isValueNode() ? element.asString("").toLowerCase(Locale.ROOT) : Glob.UNKNOWN).toList();
    }
}
