package lockstep.valve;

import java.util.List;

/**
 * The values that a condition key can have in the requests of a holder.
 *
 * @param in     the possible values
 * @param except values of {@code in} that are not possible
 * @param absent whether the request may lack the key
 */
record Domain(List<Glob> in, List<Glob> except, boolean absent) {
    static final Domain ABSENT = new Domain(List.of(), List.of(), true);

    static Domain of(String... values) {
        return new Domain(List.of(values).stream().map(Glob::new).toList(), List.of(), false);
    }

    static Domain chosen() {
        return new Domain(List.of(Glob.ANY), List.of(), true);
    }

    Domain except(List<String> values) {
        return new Domain(in, values.stream().map(Glob::new).toList(), absent);
    }

    Domain orAbsent() {
        return new Domain(in, except, true);
    }

    /** Reports whether a possible value matches the glob. */
    boolean canBe(Glob glob, boolean arnLike) {
        return in.stream().filter(value -> value.overlapsAsArn(glob, arnLike))
                .anyMatch(value -> value.narrowed(glob).filter(both -> !both.coveredBy(except)).isPresent());
    }

    /** Reports whether a possible value matches none of the globs. */
    boolean canBeNone(List<Glob> globs) {
        return in.stream().anyMatch(value -> !value.coveredBy(globs) && !value.coveredBy(except));
    }
}
