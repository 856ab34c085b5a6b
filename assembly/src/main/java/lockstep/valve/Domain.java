package lockstep.valve;

import java.util.List;

/**
 * What a condition key may be in a request of somebody.
 *
 * @param in     the values that are open to them
 * @param except and those of them that are not
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

    /** Whether a value can be chosen that the glob matches. */
    boolean canBe(Glob glob, boolean arnLike) {
        return in.stream().filter(value -> value.overlapsAsArn(glob, arnLike)).anyMatch(value -> value.narrowed(glob).filter(both -> !both.coveredBy(except)).isPresent());
    }

    /** Whether a value can be chosen that none of the globs matches. */
    boolean canBeNone(List<Glob> globs) {
        return in.stream().anyMatch(value -> !value.coveredBy(globs) && !value.coveredBy(except));
    }
}
