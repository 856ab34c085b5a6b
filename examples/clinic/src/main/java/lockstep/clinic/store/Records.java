package lockstep.clinic.store;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import lockstep.clinic.store.MasterData.Interaction;

/** A customer's records: patients, their encounters and prescriptions. Rows of other customers are invisible. */
public final class Records {
    /** @param town the prefecture, city and town of the postal code */
    public record Patient(long id, String name, Optional<String> kana, LocalDate bornOn, Optional<String> postalCode, Optional<String> town,
            Optional<String> street, Optional<OffsetDateTime> lastSeen) {}

    /** @param postalCode the postal code and the town's number, separated by a dash */
    public record PatientEntry(String name, Optional<String> kana, LocalDate bornOn, Optional<String> postalCode,
            Optional<String> street) {}

    public record Encounter(long id, long patient, OffsetDateTime startedAt, String diseaseCode, String disease, Optional<String> note,
            List<Prescription> prescriptions) {
        Encounter with(List<Prescription> them) {
            return new Encounter(id, patient, startedAt, diseaseCode, disease, note, them);
        }
    }

    /** @param accepted the number of interactions that the prescriber was warned about and accepted */
    public record Prescription(long encounter, String drugCode, String drug, int days, Optional<String> note, int accepted) {}

    private final Database database;

    public Records(Database database) {
        this.database = database;
    }

    /** Returns at most 200 patients whose name or its reading contains the text, those seen most recently first. */
    public List<Patient> patients(String customer, String text) {
        String pattern = "%" + text.strip().replaceAll("([\\\\%_])", "\\\\$1") + "%";
        return database.of(customer, t -> t.list("find_patients", Records::patient, null, null, pattern, pattern));
    }

    public Optional<Patient> patient(String customer, long id) {
        return database.of(customer, t -> t.first("find_patients", Records::patient, id, id, "%", "%"));
    }

    public long add(String customer, PatientEntry entry) {
        return database.of(customer, t -> add(t, entry));
    }

    static long add(Transaction t, PatientEntry entry) {
        return t.first(
                "INSERT INTO tenant.patient (name, name_kana, born_on, postal_code, postal_code_seq, street) VALUES (?, ?, ?, ?, ?, ?) "
                        + "RETURNING id",
                row -> row.getLong(1),
                entry.name(), entry.kana(), entry.bornOn(), code(entry), town(entry), entry.street()).orElseThrow();
    }

    /** Whether the patient exists. */
    public boolean change(String customer, long id, PatientEntry entry) {
        return database.of(customer, t -> t.change(
                "UPDATE tenant.patient SET name = ?, name_kana = ?, born_on = ?, postal_code = ?, postal_code_seq = ?, street = ? WHERE "
                        + "id = ?",
                entry.name(), entry.kana(), entry.bornOn(), code(entry), town(entry), entry.street(), id)) == 1;
    }

    /** Newest first. */
    public List<Encounter> encounters(String customer, long patient) {
        return database.of(customer, t -> {
            var prescriptions = t.list("prescriptions", row -> new Prescription(row.getLong(1), row.getString(2), row.getString(3),
                    row.getInt(4), Optional.ofNullable(row.getString(5)), row.getInt(6)), patient);
            return t.list("encounters", Records::encounter, patient, null, null).stream()
                    .map(encounter -> encounter.with(prescriptions.stream().filter(it -> it.encounter() == encounter.id()).toList()))
                    .toList();
        });
    }

    /** Without its prescriptions. */
    public Optional<Encounter> encounter(String customer, long id) {
        return database.of(customer, t -> t.first("encounters", Records::encounter, null, id, id));
    }

    public long addEncounter(String customer, long patient, long disease, Optional<String> note) {
        return database.of(customer,
                t -> t.first("INSERT INTO tenant.encounter (patient_id, disease_id, started_at, note) VALUES (?, ?, now(), ?) RETURNING id",
                        row -> row.getLong(1), patient, disease, note).orElseThrow());
    }

    /** Returns the drug's interactions with the patient's current medication, the most severe first. */
    public List<Interaction> interactions(String customer, Encounter encounter, long drug) {
        return database.of(customer, t -> interactions(t, encounter, drug));
    }

    /**
     * Inserts a prescription if the drug's interactions are exactly those that were accepted.
     *
     * @return whether it was inserted
     */
    public boolean prescribe(String customer, Encounter encounter, long drug, int days, Optional<String> note, List<Long> accepted) {
        return database.of(customer, t -> {
            var found = interactions(t, encounter, drug).stream().map(Interaction::id).sorted().toList();
            if (!found.equals(accepted.stream().sorted().toList())) return false;
            long id = t.first("INSERT INTO tenant.prescription (encounter_id, drug_id, days, note) VALUES (?, ?, ?, ?) RETURNING id",
                    row -> row.getLong(1), encounter.id(), drug, days, note).orElseThrow();
            t.change("INSERT INTO tenant.accepted_interaction (prescription_id, interaction_id) SELECT ?, unnest(?)", id,
                    found.toArray(Long[]::new));
            return true;
        });
    }

    private static List<Interaction> interactions(Transaction t, Encounter encounter, long drug) {
        return t.list("interactions", row -> new Interaction(row.getLong(1), row.getString(2), row.getString(3), row.getString(4)), drug,
                drug, drug, encounter.patient(), encounter.id());
    }

    private static Patient patient(ResultSet row) throws SQLException {
        return new Patient(row.getLong(1), row.getString(2), Optional.ofNullable(row.getString(3)), row.getObject(4, LocalDate.class),
                Optional.ofNullable(row.getString(5)),
                Optional.ofNullable(row.getString(6)), Optional.ofNullable(row.getString(7)),
                Optional.ofNullable(row.getObject(8, OffsetDateTime.class)));
    }

    private static Encounter encounter(ResultSet row) throws SQLException {
        return new Encounter(row.getLong(1), row.getLong(2), row.getObject(3, OffsetDateTime.class), row.getString(4), row.getString(5),
                Optional.ofNullable(row.getString(6)), List.of());
    }

    private static Optional<String> code(PatientEntry entry) {
        return entry.postalCode().map(it -> it.substring(0, 7));
    }

    private static Optional<Integer> town(PatientEntry entry) {
        return entry.postalCode().map(it -> Integer.parseInt(it.substring(8)));
    }
}
