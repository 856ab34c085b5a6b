package lockstep.masterdata.schema;

import static lockstep.masterdata.schema.Identifiers.literal;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The condition of a row-level security policy, as PostgreSQL writes it. */
public final class PolicyExpression {
    private PolicyExpression() {}

    /**
     * Reports whether the text shows that the condition is true for every row for this role: {@code true}, or {@code … OR current_user =
     * 'the role'}.
     */
    public static boolean isTrue(String expression, String role) {
        if (expression == null) return false;
        return expression.equals("true") || alternatives(expression).stream().anyMatch(a -> a.equals("true") || names(a, role));
    }

    /** Returns the condition, extended so that it is true for these roles. */
    static String orCurrentUser(String expression, List<String> roles) {
        String users = roles.stream().map(Identifiers::literal).collect(Collectors.joining(", "));
        return "((" + expression + ") OR current_user " + (roles.size() == 1 ? "= " + users : "IN (" + users + ")") + ")";
    }

    private static boolean names(String alternative, String role) {
        String name = literal(role) + "::name";
        if (alternative.equals("CURRENT_USER = " + name)) return true;
        String array = "CURRENT_USER = ANY (ARRAY[";
        return alternative.startsWith(array)
                && List.of(alternative.substring(array.length()).replaceFirst("]\\)$", "").split(", ")).contains(name);
    }

    /** Returns the operands of the outermost OR without their parentheses, or the whole expression when there is none. */
    private static List<String> alternatives(String expression) {
        String text = unwrapped(expression);
        var operands = new ArrayList<String>();
        int depth = 0;
        int begin = 0;
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\'') quoted = !quoted;
            if (quoted) continue;
            if (c == '(') depth++;
            if (c == ')') depth--;
            if (depth == 0 && text.startsWith(" OR ", i)) {
                operands.add(unwrapped(text.substring(begin, i)));
                begin = i + 4;
            }
        }
        operands.add(unwrapped(text.substring(begin)));
        return operands;
    }

    /** Removes the parentheses that enclose the whole expression. */
    private static String unwrapped(String expression) {
        if (!expression.startsWith("(") || !expression.endsWith(")")) return expression;
        int depth = 0;
        boolean quoted = false;
        for (int i = 0; i < expression.length(); i++) {
            char c = expression.charAt(i);
            if (c == '\'') quoted = !quoted;
            if (quoted) continue;
            if (c == '(') depth++;
            if (c == ')' && --depth == 0) return i == expression.length() - 1 ? expression.substring(1, i) : expression;
        }
        return expression;
    }
}
