package lockstep.masterdata.schema;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the columns of the new row that a trigger function assigns, in its PL/pgSQL source. It only analyzes text, so it may report an
 * assignment that is never executed, and misses assignments in functions that it calls.
 */
final class TriggerSource {
    /** Represents all columns. */
    static final String ROW = "*";

    private static final String COLUMN = "NEW\\s*\\.\\s*(\"(?:[^\"]|\"\")+\"|[\\p{L}_][\\p{L}\\p{N}_$]*)";
    private static final Pattern ASSIGNMENT = Pattern.compile("(?:^|;|>>|\\b(?:BEGIN|THEN|ELSE|LOOP)\\b)\\s*(?=NEW\\b)(?:" + COLUMN
            + "(?:\\s*\\[[^\\]]*\\]|\\s*\\.\\s*[\\w\"]+)*|NEW)\\s*(?::=|=)([^;]*)", Pattern.CASE_INSENSITIVE);
    private static final Pattern INTO = Pattern.compile(
            "\\bINTO\\s+(?:STRICT\\s+)?((?:[\\w.\"$]+\\s*,\\s*)*NEW\\b[\\w.\"$]*(?:\\s*,\\s*[\\w.\"$]+)*)", Pattern.CASE_INSENSITIVE);
    private static final Pattern TARGET = Pattern.compile("\\bNEW\\b(?:\\s*\\.\\s*(\"(?:[^\"]|\"\")+\"|[\\p{L}_][\\p{L}\\p{N}_$]*))?",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern RETURN = Pattern.compile("\\bRETURN\\b\\s*([^;]*)", Pattern.CASE_INSENSITIVE);
    private static final Pattern BLOCK = Pattern.compile(
            "\\bEND\\s+IF\\b|\\bELSIF\\b|\\bELSEIF\\b|\\bIF\\b|\\bEND\\s+LOOP\\b|\\bLOOP\\b|\\bEXCEPTION\\s+WHEN\\b",
            Pattern.CASE_INSENSITIVE);
    /** Matches expressions whose value differs between databases or with each write. */
    private static final Pattern VOLATILE = Pattern.compile(
            "\\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|current_timestamp|current_date|current_time|"
                    + "localtimestamp|localtime"
                    + "|current_user|session_user|user|gen_random_uuid|uuid_generate_v\\w+|uuidv\\d|random|nextval|txid_current|"
                    + "pg_current_xact_id|OLD)\\b",
            Pattern.CASE_INSENSITIVE);
    /** Matches conditions that are true for every row that a sync writes, because it writes only rows that differ. */
    private static final Pattern ALWAYS = Pattern.compile(
            "\\(*\\s*TG_OP\\s*(=|<>|!=|IN)\\s*[\\s(,')]*|\\(*\\s*(ROW\\s*\\(\\s*)?(NEW|"
                    + "OLD)(\\s*\\.\\s*\\*)?\\s*\\)*\\s*(IS\\s+DISTINCT\\s+FROM|\\*<>|<>)\\s*\\(*(ROW\\s*\\(\\s*)?(NEW|"
                    + "OLD)(\\s*\\.\\s*\\*)?\\s*\\)*",
            Pattern.CASE_INSENSITIVE);

    private TriggerSource() {}

    /**
     * Returns the columns that the source assigns, or {@link #ROW}; the value is true for columns that certainly change with each write.
     */
    static Map<String, Boolean> assigned(String source) {
        String text = stripped(source);
        var assigned = new LinkedHashMap<String, Boolean>();
        Matcher assignment = ASSIGNMENT.matcher(text);
        for (int from = 0; assignment.find(from); from = assignment.start(2)) {
            if (!isStatement(assignment.group(2))) continue;
            add(assigned, assignment.group(1), VOLATILE.matcher(assignment.group(2)).find() && isReached(text, assignment.start(2)));
        }
        Matcher into = INTO.matcher(text);
        while (into.find()) {
            String statement = text.substring(text.lastIndexOf(';', into.start()) + 1, end(text, into.end()));
            Matcher target = TARGET.matcher(into.group(1));
            while (target.find()) add(assigned, target.group(1), VOLATILE.matcher(statement).find() && isReached(text, into.start()));
        }
        Matcher returned = RETURN.matcher(text);
        while (returned.find())
            if (!returned.group(1).strip().matches("(?i)\\(*\\s*(NEW|OLD|NULL)\\s*\\)*|")
                    && returned.group(1).toUpperCase(Locale.ROOT).matches("(?s).*\\bNEW\\b.*"))
                add(assigned, null, false);
        return assigned;
    }

    /** Reports whether the source has a {@code RETURN NULL}, with which a row trigger drops a row. */
    static boolean mayDropRows(String source) {
        return Pattern.compile("\\bRETURN\\s+\\(*NULL\\b", Pattern.CASE_INSENSITIVE).matcher(stripped(source)).find();
    }

    /** Reports whether a trigger's WHEN condition, as PostgreSQL formats it, is true for every row that a sync writes. */
    static boolean isAlways(String condition) {
        return ALWAYS.matcher(stripped(condition).strip()).matches();
    }

    private static int end(String text, int from) {
        int end = text.indexOf(';', from);
        return end < 0 ? text.length() : end;
    }

    private static void add(Map<String, Boolean> assigned, String column, boolean certain) {
        String name = column == null ? ROW : column.startsWith("\"") ? column.substring(1, column.length() - 1).replace("\"\"", "\"")
                : column.toLowerCase(Locale.ROOT);
        assigned.merge(name, certain, Boolean::logicalOr);
    }

    /** Returns false for a part of a CASE expression, where {@code THEN NEW.x = 1} is a comparison. */
    private static boolean isStatement(String expression) {
        return count(expression, "CASE") == count(expression, "END")
                && (count(expression, "CASE") > 0 || count(expression, "ELSE") + count(expression, "WHEN") == 0);
    }

    private static int count(String text, String word) {
        return (int) Pattern.compile("\\b" + word + "\\b", Pattern.CASE_INSENSITIVE).matcher(text).results().count();
    }

    /** Reports whether every row that a sync writes reaches this place, because no condition, loop or exception handler surrounds it. */
    private static boolean isReached(String text, int place) {
        Deque<Boolean> open = new ArrayDeque<>();
        Matcher block = BLOCK.matcher(text);
        while (block.find() && block.start() < place) {
            String word = block.group().toUpperCase(Locale.ROOT).replaceAll("\\s+", " ");
            switch (word) {
                case "END IF", "END LOOP" -> open.poll();
                case "IF", "ELSIF", "ELSEIF" -> {
                    if (!word.equals("IF")) open.poll();
                    Matcher then = Pattern.compile("\\bTHEN\\b", Pattern.CASE_INSENSITIVE).matcher(text);
                    open.push(then.find(block.end()) && ALWAYS.matcher(text.substring(block.end(), then.start()).strip()).matches());
                }
                default -> open.push(false);
            }
        }
        return !open.contains(false);
    }

    /** Removes comments and the content of literals. {@code 'now'} is replaced with the function, which is equivalent. */
    static String stripped(String source) {
        var text = new StringBuilder();
        int at = 0;
        while (at < source.length()) {
            char c = source.charAt(at);
            if (source.startsWith("--", at)) {
                int end = source.indexOf('\n', at);
                at = end < 0 ? source.length() : end;
            } else if (source.startsWith("/*", at)) {
                at = afterComment(source, at);
                text.append(' ');
            } else if (c == '\'') {
                int end = afterLiteral(source, at, at > 0 && (source.charAt(at - 1) == 'E' || source.charAt(at - 1) == 'e'));
                text.append(source.substring(at, end).equalsIgnoreCase("'now'") ? " now " : "''");
                at = end;
            } else if (c == '"') {
                int end = source.indexOf('"', at + 1);
                end = end < 0 ? source.length() : end + 1;
                text.append(source, at, end);
                at = end;
            } else if (c == '$' && dollarTag(source, at).isPresent()) {
                String tag = dollarTag(source, at).get();
                int end = source.indexOf(tag, at + tag.length());
                at = end < 0 ? source.length() : end + tag.length();
                text.append("''");
            } else {
                text.append(c);
                at++;
            }
        }
        return text.toString();
    }

    private static int afterComment(String source, int at) {
        int depth = 0;
        for (int i = at; i < source.length() - 1; i++) {
            if (source.startsWith("/*", i)) {
                depth++;
                i++;
            } else if (source.startsWith("*/", i)) {
                i++;
                if (--depth == 0) return i + 1;
            }
        }
        return source.length();
    }

    private static int afterLiteral(String source, int at, boolean escapes) {
        for (int i = at + 1; i < source.length(); i++) {
            if (escapes && source.charAt(i) == '\\') i++;
            else if (source.charAt(i) == '\'') {
                if (i + 1 < source.length() && source.charAt(i + 1) == '\'') i++;
                else return i + 1;
            }
        }
        return source.length();
    }

    /** Returns the tag of the dollar-quoted literal that begins here, if there is one. */
    private static Optional<String> dollarTag(String source, int at) {
        Matcher tag = Pattern.compile("\\$(?:[\\p{L}_][\\p{L}\\p{N}_]*)?\\$").matcher(source).region(at, source.length());
        boolean within = at > 0 && Character.isJavaIdentifierPart(source.charAt(at - 1));
        return !within && tag.lookingAt() ? Optional.of(tag.group()) : Optional.empty();
    }
}
