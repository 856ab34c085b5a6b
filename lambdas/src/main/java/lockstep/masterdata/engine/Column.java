package lockstep.masterdata.engine;

import java.util.stream.Stream;

/** A column and its type as PostgreSQL's {@code format_type} writes it, for example {@code numeric(10,2)}. */
public record Column(String name, String type) {
    /** Whether equal values of it may read otherwise, such as 1.0 and 1.00: then a row may change in its key and stay the same row. */
    boolean mayBeEqualButOtherwise() {
        return Stream.of("numeric", "real", "double precision", "interval", "character(", "jsonb", "time with time zone").anyMatch(type::startsWith) || type.endsWith("citext");
    }
}
