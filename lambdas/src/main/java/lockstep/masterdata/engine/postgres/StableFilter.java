package lockstep.masterdata.engine.postgres;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Recognizes filters ({@code where}) whose answer for a row depends only on that row: comparisons of columns with constants. Functions,
 * subqueries, casts and everything else might depend on the time, on settings or on other tables.
 */
final class StableFilter {
    private static final Set<String> KEYWORDS = Set.of("and", "or", "not", "in", "is", "null", "true", "false", "like", "ilike", "between");
    /** Names that PostgreSQL reads as functions, even if a column has the same name. */
    private static final Pattern FUNCTION = Pattern.compile("(current|local|session|system).*|user");
    /** Constants such as {@code 'today'}, which differ from day to day. */
    private static final Pattern MOMENT = Pattern.compile("now|today|tomorrow|yesterday", Pattern.CASE_INSENSITIVE);
    private static final Pattern TOKEN = Pattern
            .compile("(?<text>'(?:[^']|'')*')|(?<quoted>\"(?:[^\"]|\"\")*\")|(?<word>[A-Za-z_][A-Za-z0-9_]*)"
                    + "|\\d+(?:\\.\\d+)?|[-+*/%<>=!~(),]|\\|\\||\\s+");
    /** A word before one of these is a function or a type. */
    private static final Pattern CALL = Pattern.compile("\\s*[('].*", Pattern.DOTALL);

    private StableFilter() {}

    static boolean isStable(String filter, List<String> columns) {
        var tokens = TOKEN.matcher(filter);
        int end = 0;
        for (; tokens.find() && tokens.start() == end; end = tokens.end()) {
            boolean calls = CALL.matcher(filter).region(tokens.end(), filter.length()).matches();
            String text = tokens.group("text");
            String quoted = tokens.group("quoted");
            String word = tokens.group("word");
            if (text != null && MOMENT.matcher(text).find()) return false;
            if (quoted != null && (calls || !columns.contains(quoted.substring(1, quoted.length() - 1).replace("\"\"", "\""))))
                return false;
            if (word == null || KEYWORDS.contains(word.toLowerCase(Locale.ROOT))) continue;
            String name = word.toLowerCase(Locale.ROOT);
            if (calls || FUNCTION.matcher(name).matches() || !columns.contains(name)) return false;
        }
        return end == filter.length();
    }
}
