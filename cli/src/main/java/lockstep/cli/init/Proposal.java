package lockstep.cli.init;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import lockstep.cli.init.Source.Column;
import lockstep.cli.init.Source.Constraint;
import lockstep.cli.init.Source.Table;

/**
 * The tables of a database that look like master data: other tables refer to them, or they belong to such a table; they are rarely written
 * and have a primary key. Columns that look personal are left out. Each table and column that is left out has a reason.
 *
 * @param chosen   by name
 * @param rejected the reason, by table
 */
public record Proposal(List<Choice> chosen, Map<Table, String> rejected) {
    /**
     * @param leftOut    the reason, by column
     * @param referredBy tables that refer to it
     */
    public record Choice(Table table, Map<String, String> leftOut, List<Table> referredBy, long writesPerDay) {
        List<Column> columns() {
            return table.columns().stream().filter(column -> !leftOut.containsKey(column.name())).toList();
        }
    }

    /** Rows a day that may be written in a table of master data, if it is small. Otherwise it is a share of its rows. */
    private static final long FEW = 100;

    private static final double RARE = 0.01;

    /** The share of its rows, which are an estimate, that must have been inserted while writes were counted for it to count as filled. */
    private static final double FILLED = 0.9;

    /** Words in the names of columns that have data of persons or secrets. */
    private static final Pattern PERSONAL = words("e_?mails?", "mail", "phones?", "telephone", "tel", "fax", "mobile", "address(es)?",
            "address\\d", "street", "birth", "birth_?(day|date)", "dob", "ssn", "passport", "iban", "credit_?card", "surname",
            "(first|last|given|family|middle|maiden|full|contact|user|nick)_?name", "login", "pass(word|wd)", "pwd", "secret", "tokens?",
            "(api|private|access)_?key", "ip", "ip_?addr(ess)?", "gender", "sex", "photo", "avatar", "signature");

    private static final Set<String> PERSONAL_TYPES = Set.of("inet", "cidr", "macaddr", "macaddr8");

    /** Types whose text means something in one database only. */
    private static final Pattern LOCAL_TYPES = Pattern.compile("oid|reg[a-z]+|xid8?|cid|tid|pg_.*");

    /** Last words in the names of tables of persons, of what they do, and of records. */
    private static final Pattern NOT_MASTER = Pattern.compile("(.*_)?(users?|persons?|people|customers?|clients?|patients?|employees?|staff"
            + "|members?|contacts?|visitors?|tenants?|subscribers?|guests?|students?|orders?|invoices?|payments?|rentals?|bookings?"
            + "|reservations?|carts?|baskets?|messages?|notifications?|sessions?|logins?|tokens?|audits?|logs?|events?|history|jobs?|queue"
            + "|migrations?|databasechangelog(lock)?)");

    private static Pattern words(String... words) {
        return Pattern.compile("(.*_)?(" + String.join("|", words) + ")(_.*)?");
    }

    /** @param emails returns the columns of a table that have email addresses */
    public static Proposal of(Source source, Function<Table, Set<String>> emails) {
        var referredBy = new LinkedHashMap<Long, List<Table>>();
        for (var table : source.tables()) for (var reference : table.references())
            if (reference.refersTo() != table.oid()) {
                var tables = referredBy.computeIfAbsent(reference.refersTo(), _ -> new ArrayList<>());
                if (!tables.contains(table)) tables.add(table);
            }
        var candidates = new LinkedHashMap<Long, Choice>();
        var rejected = new LinkedHashMap<Table, String>();
        for (var table : source.tables()) {
            long writes = writesPerDay(table, source.days());
            var choice = new Choice(table, new LinkedHashMap<>(), referredBy.getOrDefault(table.oid(), List.of()), writes);
            var reason = unfit(choice);
            if (reason.isEmpty()) {
                leaveOut(choice, emails);
                reason = incomplete(choice);
            }
            reason.ifPresentOrElse(why -> rejected.put(table, why), () -> candidates.put(table.oid(), choice));
        }
        // each table that goes may take those with it that refer to it
        boolean changed = true;
        while (changed) {
            changed = false;
            for (var choice : List.copyOf(candidates.values())) {
                var reason = open(choice, candidates, source);
                if (reason.isEmpty()) continue;
                candidates.remove(choice.table().oid());
                rejected.put(choice.table(), reason.get());
                changed = true;
            }
        }
        return new Proposal(List.copyOf(candidates.values()), rejected);
    }

    /** The rows written in a day, without those that filled the table, if that was counted. */
    private static long writesPerDay(Table table, double days) {
        long filled = table.inserts() >= FILLED * table.rows() ? Math.min(table.inserts(), table.rows()) : 0;
        return Math.round((table.inserts() - filled + table.changes()) / days);
    }

    private static Optional<String> unfit(Choice choice) {
        var table = choice.table();
        if (table.key().isEmpty()) return Optional.of("it has no primary key");
        if (NOT_MASTER.matcher(plain(table.name())).matches())
            return Optional.of("its name says that it has persons, what they do, or records");
        if (choice.writesPerDay() > Math.max(FEW, RARE * table.rows()))
            return Optional.of("%,d rows are written a day".formatted(choice.writesPerDay()));
        if (table.rowSecurity()) return Optional.of("row-level security may hide rows");
        return Optional.empty();
    }

    private static void leaveOut(Choice choice, Function<Table, Set<String>> emails) {
        var table = choice.table();
        var withEmails = emails.apply(table);
        var referring = table.references().stream().flatMap(reference -> table.names(reference.columns()).stream()).toList();
        for (var column : table.columns()) {
            if (withEmails.contains(column.name())) choice.leftOut().put(column.name(), "has email addresses");
            else if (!referring.contains(column.name()) && PERSONAL.matcher(plain(column.name())).matches())
                choice.leftOut().put(column.name(), "looks personal");
            else if (PERSONAL_TYPES.contains(column.type())) choice.leftOut().put(column.name(), "has network addresses");
            else if (column.generated()) choice.leftOut().put(column.name(), "is generated");
            else if (LOCAL_TYPES.matcher(column.type()).matches())
                choice.leftOut().put(column.name(), "its type " + column.type() + " means something in this database only");
            else if (column.kinds().stream().anyMatch(kind -> !Set.of("b", "e", "d").contains(kind)))
                choice.leftOut().put(column.name(), "its type " + column.type() + " is not a simple one");
            else if (column.name().matches(".*\\p{Cntrl}.*"))
                choice.leftOut().put(column.name(), "its name has control characters");
        }
    }

    /** Returns why the table can't do without a column that is left out. */
    private static Optional<String> incomplete(Choice choice) {
        return choice.table().columns().stream().filter(column -> choice.leftOut().containsKey(column.name()))
                .filter(column -> choice.table().key().contains(column.name())
                        || column.notNull() && !column.hasDefault() && !column.generated())
                .map(column -> "its column " + column.name() + ", which it can't do without, " + choice.leftOut().get(column.name()))
                .findFirst();
    }

    /**
     * Returns why the table can't be in a data set without the tables to which it refers. Columns that may be empty are left out instead.
     */
    private static Optional<String> open(Choice choice, Map<Long, Choice> candidates, Source source) {
        var table = choice.table();
        for (Constraint reference : table.references()) {
            if (candidates.containsKey(reference.refersTo())) continue;
            var columns = choice.columns().stream().filter(column -> reference.columns().contains(column.number())).toList();
            if (columns.size() < reference.columns().size()) continue; // a part of it is left out already
            var other = source.tables().stream().filter(known -> known.oid() == reference.refersTo()).findFirst()
                    .map(known -> known.fullName().toString()).orElse("a table of another kind");
            var optional = columns.stream().filter(column -> !column.notNull() && !table.key().contains(column.name())).findFirst();
            if (optional.isEmpty())
                return Optional.of("its column " + columns.getFirst().name() + " refers to " + other + ", which is not proposed");
            choice.leftOut().put(optional.get().name(), "refers to " + other + ", which is not in the data set");
        }
        boolean detail = table.references().stream()
                .anyMatch(reference -> reference.refersTo() != table.oid() && candidates.containsKey(reference.refersTo()));
        return choice.referredBy().isEmpty() && !detail ? Optional.of("no other table refers to it") : Optional.empty();
    }

    /** Returns a name in lower case with underscores between its words. */
    static String plain(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").replaceAll("[^\\p{L}\\p{N}]+", "_").toLowerCase(Locale.ROOT);
    }
}
