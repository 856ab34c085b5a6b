package lockstep.clinic.demo;

import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import lockstep.clinic.store.Transaction;

/**
 * Fills a new tenant with data of a typical clinic. The same seed and master data give the same people, visits and
 * prescriptions. Rows that refer to a list that is empty in this shard are omitted.
 */
public final class InitialData {
    /** A patient, and a drug that interacts with the patient's medication. The code distinguishes drugs with the same name. */
    public record Suggestion(String patient, String drug, String drugCode) {}

    private record Visit(String disease, String complaint, List<String> substances, int days, String advice) {}

    private record Pair(long taken, String other, String otherCode) {}

    private static final int PATIENTS = 14;
    private static final int OLDEST_VISIT_DAYS = 120;
    private static final List<String> FAMILY = List.of("青木 アオキ", "佐藤 サトウ", "髙橋 タカハシ", "渡邉 ワタナベ", "山本 ヤマモト", "中村 ナカムラ", "小林 コバヤシ", "加藤 カトウ",
            "吉田 ヨシダ", "松本 マツモト", "井上 イノウエ", "木村 キムラ", "清水 シミズ", "森 モリ");
    private static final List<String> GIVEN = List.of("花子 ハナコ", "健一 ケンイチ", "さくら サクラ", "勇 イサム", "美咲 ミサキ", "大輔 ダイスケ", "陽菜 ヒナ", "拓也 タクヤ",
            "恵子 ケイコ", "翔太 ショウタ", "由美 ユミ", "誠 マコト", "千代 チヨ", "悠斗 ユウト");
    private static final List<Visit> VISITS = List.of(
            new Visit("I10", "Blood pressure at home 150/92, no dizziness.", List.of("Amlodipine", "Candesartan"), 28,
                    "once a day after breakfast"),
            new Visit("E11.9", "HbA1c 7.4 %. Goes on with the diet.", List.of("Metformin"), 30, "after each meal"),
            new Visit("J20.9", "Coughing for five days, no fever.", List.of("Carbocisteine", "Ambroxol"), 5, "three times a day"),
            new Visit("K21.9", "Heartburn, mostly at night.", List.of("Lansoprazole"), 14, "before going to bed"),
            new Visit("M54.50", "Lumbar pain after moving house, no radiation.", List.of("Loxoprofen", "Rebamipide"), 7, "with food"),
            new Visit("J30.1", "Hay fever since the birches are in flower.", List.of("Fexofenadine"), 30, "twice a day"),
            new Visit("E78.5", "LDL 172 mg/dL at the yearly check.", List.of("Rosuvastatin"), 90, "in the evening"),
            new Visit("G47.00", "Lies awake until two most nights.", List.of("Zolpidem"), 14, "directly before sleep"),
            new Visit("N39.0", "Burning when passing water since yesterday.", List.of("Levofloxacin"), 3, "once a day"),
            new Visit("M06.9", "Morning stiffness of both hands, about an hour.", List.of("Methotrexate"), 28, "once a week, on Mondays"),
            new Visit("I48.91", "Irregular pulse at the check, no complaints.", List.of("Apixaban", "Bisoprolol"), 28,
                    "morning and evening"),
            new Visit("Z00.00", "Yearly check, nothing found.", List.of(), 0, ""));

    private final Transaction transaction;
    private final SplittableRandom random;
    private final Map<String, Long> drugs = new HashMap<>();

    private InitialData(Transaction transaction, long seed) {
        this.transaction = transaction;
        this.random = new SplittableRandom(seed);
    }

    /** Inserts the rows for the transaction's customer. */
    static Optional<Suggestion> enter(Transaction transaction, long seed) {
        return new InitialData(transaction, seed).enter();
    }

    private Optional<Suggestion> enter() {
        String[] substances = VISITS.stream().flatMap(visit -> visit.substances().stream()).distinct().toArray(String[]::new);
        transaction.list("drugs_of_substances", row -> drugs.put(row.getString(1), row.getLong(2)), (Object) substances);
        for (int i = 0; i < PATIENTS; i++) patient(FAMILY.get(random.nextInt(FAMILY.size())), GIVEN.get(i));
        var pairs = transaction.list("interacting_drugs", row -> new Pair(row.getLong(1), row.getString(2), row.getString(3)));
        return pairs.isEmpty() ? Optional.empty() : suggestion(pairs.get(random.nextInt(pairs.size())));
    }

    private void patient(String family, String given) {
        long patient = person(family, given).id();
        int visits = 1 + random.nextInt(3);
        for (int i = 0; i < visits; i++) {
            var visit = VISITS.get(random.nextInt(VISITS.size()));
            encounter(patient, visit.disease(), 2 + random.nextInt(OLDEST_VISIT_DAYS), visit.complaint()).ifPresent(encounter -> {
                for (String substance : visit.substances()) {
                    Optional.ofNullable(drugs.get(substance))
                            .ifPresent(drug -> prescription(encounter, drug, visit.days(), visit.advice()));
                }
            });
        }
    }

    /** Inserts a patient who came yesterday and asks for a drug that interacts with the prescribed one. */
    private Optional<Suggestion> suggestion(Pair pair) {
        var person = person("藤田 フジタ", "直美 ナオミ");
        var encounter = encounter(person.id(), "R51.9", 1,
                "Feels well. Asks whether " + pair.other() + " (" + pair.otherCode() + ") may be added.");
        encounter.ifPresent(it -> prescription(it, pair.taken(), 90, "as before"));
        return encounter.map(_ -> new Suggestion(person.name(), pair.other(), pair.otherCode()));
    }

    private record Person(long id, String name) {}

    private Person person(String family, String given) {
        String name = family.split(" ")[0] + " " + given.split(" ")[0];
        String kana = family.split(" ")[1] + " " + given.split(" ")[1];
        LocalDate born = LocalDate.of(1935, 1, 1).plusDays(random.nextInt(85 * 365));
        String postalCode = "%07d".formatted(random.nextInt(10_000_000));
        String street = "%d-%d-%d".formatted(1 + random.nextInt(5), 1 + random.nextInt(20), 1 + random.nextInt(15));
        return new Person(transaction.first("initial_patient", row -> row.getLong(1), postalCode, name, kana, born, street).orElseThrow(),
                name);
    }

    private Optional<Long> encounter(long patient, String disease, int daysAgo, String complaint) {
        return transaction.first("initial_encounter", row -> row.getLong(1), disease, patient, daysAgo, 9 * 60 + random.nextInt(8 * 60),
                complaint);
    }

    private void prescription(long encounter, long drug, int days, String advice) {
        transaction.change("INSERT INTO tenant.prescription (encounter_id, drug_id, days, note) VALUES (?, ?, ?, ?)", encounter, drug, days,
                advice);
    }
}
