package lockstep.valve;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** The conditions of one statement. A condition that cannot be evaluated counts as open: an Allow then allows, and a Deny does not deny. */
record Conditions(List<Condition> all) {
    static final Conditions NONE = new Conditions(List.of());
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([^*?$}][^}]*)}");
    /** A GitLab or GitHub token subject that only one project's tokens can have. */
    private static final Pattern PROJECT = Pattern.compile("^(project_path|repo):[^:*?]+:.*");

    Conditions {
        all = List.copyOf(all);
    }

    /** One key of one operator. The operator is lowercase, without {@code ForAllValues:} and {@code IfExists}. */
    record Condition(String operator, String key, List<String> values, boolean ifExists, boolean forAll, boolean forAny) {
        private boolean negated() {
            return operator.contains("not");
        }

        private boolean known() {
            return switch (operator) {
                case "stringequals", "stringnotequals", "stringlike", "stringnotlike", "stringequalsignorecase",
                        "stringnotequalsignorecase",
                        "arnequals", "arnlike", "arnnotequals", "arnnotlike", "bool", "null" -> true;
                default -> false;
            };
        }

        /** @param unknown the replacement for a value with a policy variable or an unknown part; if empty, such values are skipped */
        private List<Glob> globs(Optional<String> unknown) {
            var globs = new ArrayList<Glob>();
            for (String value : values) {
                boolean vague = VARIABLE.matcher(value).find() || value.contains(Glob.UNKNOWN);
                if (vague && unknown.isEmpty()) continue;
                String text = vague ? VARIABLE.matcher(value.replace(Glob.UNKNOWN, "*")).replaceAll("*") : value;
                if (operator.contains("ignorecase") || operator.equals("bool")) text = text.toLowerCase(Locale.ROOT);
                // wildcards are literal in StringEquals and Bool
                if (!vague && (operator.equals("bool") || operator.startsWith("string") && operator.contains("equals")))
                    text = text.replace('*', '\u0001').replace('?', '\u0002');
                globs.add(new Glob(text.replaceAll("\\$\\{([*?$])}", "$1")));
            }
            return globs;
        }

        /** Reports whether a request without the key meets the condition. */
        private boolean metWithoutKey() {
            return ifExists || forAll || negated() && !forAny;
        }

        /** Reports whether some request meets the condition. */
        private boolean mayMatch(Domain domain) {
            if (operator.equals("null"))
                return values.stream().anyMatch(value -> value.equalsIgnoreCase("true") ? domain.absent() : !domain.in().isEmpty());
            boolean without = domain.absent() && metWithoutKey();
            return without || (negated() ? domain.canBeNone(globs(Optional.empty())) : canBeOne(domain));
        }

        /** Reports whether every request meets the condition. */
        private boolean alwaysMatches(Domain domain) {
            if (operator.equals("null"))
                return values.stream().allMatch(value -> value.equalsIgnoreCase("true") ? domain.in().isEmpty() : !domain.absent());
            if (domain.absent() && !metWithoutKey()) return false;
            return negated() ? !canBeOne(domain) : !domain.canBeNone(globs(Optional.empty()));
        }

        private boolean canBeOne(Domain domain) {
            return globs(Optional.of("*")).stream().anyMatch(glob -> domain.canBe(glob, operator.startsWith("arn")));
        }

        /** Reports whether the key must be present with one of the values. */
        private boolean requiresValue() {
            return !negated() && !ifExists && !forAll && operator.startsWith("string") && !values.isEmpty();
        }

        private boolean limitsToProject() {
            return requiresValue() && switch (key.substring(key.lastIndexOf(':') + 1)) {
                case "sub" -> values.stream().allMatch(value -> PROJECT.matcher(value).matches());
                case "project_path", "project_id" -> values.stream().allMatch(value -> new Glob(value).isLiteral() && !value.contains("$"));
                default -> false;
            };
        }
    }

    static Conditions of(JsonNode node) {
        var conditions = new ArrayList<Condition>();
        node.properties().forEach(operator -> operator.getValue().properties().forEach(key -> {
            String name = operator.getKey().toLowerCase(Locale.ROOT);
            boolean forAll = name.startsWith("forallvalues:"), forAny = name.startsWith("foranyvalue:"),
                    ifExists = name.endsWith("ifexists");
            var values = Statement.strings(key.getValue());
            conditions.add(new Condition(name.replaceFirst("^for(all|any)values?:", "").replaceFirst("ifexists$", ""),
                    key.getKey().toLowerCase(Locale.ROOT), values, ifExists, forAll, forAny));
        }));
        return new Conditions(conditions);
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /**
     * Reports whether some request meets all conditions.
     *
     * @param domains the domain of each lowercase key; empty if unknown
     * @param open    receives each condition that could not be evaluated
     */
    boolean mayMatch(Function<String, Optional<Domain>> domains, Consumer<Condition> open) {
        boolean mayMatch = true;
        for (var condition : all) {
            var domain = domains.apply(condition.key());
            if (!condition.known() || domain.isEmpty()) open.accept(condition);
            else mayMatch &= condition.mayMatch(domain.get());
        }
        return mayMatch;
    }

    /** Reports whether every request meets all conditions. */
    boolean alwaysMatches(Function<String, Optional<Domain>> domains) {
        return all.stream()
                .allMatch(condition -> condition.known() && domains.apply(condition.key()).filter(condition::alwaysMatches).isPresent());
    }

    /** Reports whether a KMS key can only be used through another service on behalf of the caller. */
    boolean limitToService() {
        return all.stream().anyMatch(condition -> condition.key().equals("kms:viaservice") && condition.requiresValue());
    }

    /** Reports whether only tokens of specific projects of an identity provider are admitted. */
    boolean limitToProject() {
        return all.stream().anyMatch(Condition::limitsToProject);
    }
}
