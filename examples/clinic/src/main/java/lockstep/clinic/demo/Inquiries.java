package lockstep.clinic.demo;

import java.time.LocalDate;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import lockstep.clinic.store.Database;

/** Visitors' inquiries to sales. They are kept until sales has been notified and the visitor's tenant has expired. */
public final class Inquiries {
    /** @param meetingAt morning or afternoon */
    public record Inquiry(String name, String email, String message, Optional<LocalDate> meetingOn, Optional<String> meetingAt) {}

    private record Due(UUID id, String customer, int tries) {}

    private final Database database;

    public Inquiries(Database database) {
        this.database = database;
    }

    /** @param customer the customer of the inquiring user; empty if nobody is logged in */
    public void add(String customer, Inquiry inquiry) {
        database.of(customer, t -> {
            var id = t
                    .first("INSERT INTO tenant.inquiry (name, email, message, meeting_on, meeting_at) VALUES (?, ?, ?, ?, ?) RETURNING id",
                            row -> row.getObject(1, UUID.class),
                            inquiry.name(), inquiry.email(), inquiry.message(), inquiry.meetingOn(), inquiry.meetingAt())
                    .orElseThrow();
            return t.change("INSERT INTO tenant.inquiry_outbox (inquiry_id, customer) VALUES (?, nullif(?, ''))", id, customer);
        });
    }

    /**
     * Sends one inquiry that is due, and marks it as sent if the sender succeeds. Otherwise it becomes due again later, with a
     * delay that doubles each time, up to a day. It may be sent twice if this process dies in between.
     *
     * @return whether an inquiry was due
     */
    public boolean tellOne(Predicate<Inquiry> teller) {
        return database.ofNobody(t -> {
            var due = t.first("due_inquiry",
                    row -> new Due(row.getObject(1, UUID.class), row.getString(2) == null ? "" : row.getString(2), row.getInt(3)));
            due.ifPresent(it -> {
                t.become(it.customer());
                var inquiry = t.first("SELECT name, email, message, meeting_on, meeting_at FROM tenant.inquiry WHERE id = ?",
                        row -> new Inquiry(row.getString(1), row.getString(2), row.getString(3),
                                Optional.ofNullable(row.getObject(4, LocalDate.class)), Optional.ofNullable(row.getString(5))),
                        it.id()).orElseThrow();
                if (teller.test(inquiry)) {
                    t.change("UPDATE tenant.inquiry SET told_at = now() WHERE id = ?", it.id());
                    t.change("DELETE FROM tenant.inquiry_outbox WHERE inquiry_id = ?", it.id());
                } else {
                    t.change(
                            "UPDATE tenant.inquiry_outbox SET tries = tries + 1, next_try_at = now() + least(interval '10 seconds' * 2 ^ "
                                    + "tries, interval '1 day') WHERE inquiry_id = ?",
                            it.id());
                }
            });
            return due.isPresent();
        });
    }
}
