package lockstep.masterdata.engine.copy;

/** A column and its type as PostgreSQL's {@code format_type} writes it, for example {@code numeric(10,2)}. */
public record Column(String name, String type) {}
