package lockstep.valve;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import lockstep.assembly.Evaluator;

/**
 * A pattern with {@code *} and {@code ?}, as used in policies. It stands for the set of texts that it matches.
 *
 * @param text    the pattern used in comparisons
 * @param spelled the pattern as it was written
 */
record Glob(String text, String spelled) {
    static final Glob ANY = new Glob("*");

    static final String UNKNOWN = Evaluator.UNKNOWN;

    Glob {
        if (text.contains("**")) text = text.replaceAll("\\*+", "*");
    }

    Glob(String text) {
        this(text, text);
    }

    /** Creates the glob of an action; actions are case-insensitive. */
    static Glob action(String text) {
        return new Glob(text.toLowerCase(Locale.ROOT), text);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Glob glob && glob.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    boolean isLiteral() {
        return text.indexOf('*') < 0 && text.indexOf('?') < 0;
    }

    /**
     * Reports whether this glob matches everything that the other matches. It never returns true wrongly, but can return false wrongly, as
     * for {@code ?*} and {@code *?}.
     */
    boolean covers(Glob other) {
        if (text.equals("*")) return true;
        String mine = text, theirs = other.text;
        if (differInPrefix(mine, theirs)) return false;
        var covers = new boolean[mine.length() + 1][theirs.length() + 1];
        for (int i = mine.length(); i >= 0; i--) {
            for (int j = theirs.length(); j >= 0; j--) {
                if (i == mine.length()) covers[i][j] = j == theirs.length();
                else if (mine.charAt(i) == '*') covers[i][j] = covers[i + 1][j] || j < theirs.length() && covers[i][j + 1];
                else covers[i][j] = j < theirs.length() && theirs.charAt(j) != '*'
                        && (mine.charAt(i) == '?' || mine.charAt(i) == theirs.charAt(j)) && covers[i + 1][j + 1];
            }
        }
        return covers[0][0];
    }

    /** Reports whether both globs match some text. */
    boolean overlaps(Glob other) {
        String mine = text, theirs = other.text;
        if (mine.equals("*") || theirs.equals("*")) return true;
        if (differInPrefix(mine, theirs)) return false;
        var overlaps = new boolean[mine.length() + 1][theirs.length() + 1];
        for (int i = mine.length(); i >= 0; i--) {
            for (int j = theirs.length(); j >= 0; j--) {
                boolean more = i < mine.length(), moreTheirs = j < theirs.length();
                if (!more && !moreTheirs) overlaps[i][j] = true;
                else if (more && mine.charAt(i) == '*') overlaps[i][j] = overlaps[i + 1][j] || moreTheirs && overlaps[i][j + 1];
                else if (moreTheirs && theirs.charAt(j) == '*') overlaps[i][j] = overlaps[i][j + 1] || more && overlaps[i + 1][j];
                else overlaps[i][j] = more && moreTheirs
                        && (mine.charAt(i) == '?' || theirs.charAt(j) == '?' || mine.charAt(i) == theirs.charAt(j))
                        && overlaps[i + 1][j + 1];
            }
        }
        return overlaps[0][0];
    }

    /** A fast check that rejects most pairs: reports whether they differ before the first star of either. */
    private static boolean differInPrefix(String one, String other) {
        for (int i = 0; i < Math.min(one.length(), other.length()); i++) {
            char a = one.charAt(i), b = other.charAt(i);
            if (a == '*' || b == '*') return false;
            if (a != b && a != '?' && b != '?') return true;
        }
        return false;
    }

    /** Reports whether both globs match some ARN, where a star does not match across a colon, as in ArnLike. */
    boolean overlapsAsArn(Glob other, boolean arnLike) {
        String[] mine = text.split(":", 6), theirs = other.text.split(":", 6);
        boolean bySegment = mine.length == 6 && theirs.length == 6
                && (arnLike || !String.join("", List.of(theirs).subList(0, 5)).contains("*"));
        if (!bySegment) return overlaps(other);
        for (int i = 0; i < 6; i++) if (!new Glob(mine[i]).overlaps(new Glob(theirs[i]))) return false;
        return true;
    }

    /** Returns the narrower of the two globs, or this one if neither covers the other; empty if they do not overlap. */
    Optional<Glob> narrowed(Glob other) {
        if (covers(other)) return Optional.of(other);
        return overlaps(other) ? Optional.of(this) : Optional.empty();
    }

    boolean coveredBy(List<Glob> globs) {
        return globs.stream().anyMatch(glob -> glob.covers(this));
    }

    boolean overlapsOneOf(List<Glob> globs) {
        return globs.stream().anyMatch(this::overlaps);
    }

    @Override
    public String toString() {
        return spelled.replace(UNKNOWN, "(unknown)");
    }
}
