package lockstep.clinic.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.javalin.http.NotFoundResponse;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.clinic.store.MasterData;
import lockstep.clinic.store.MasterData.Choice;
import lockstep.clinic.store.MasterData.Interaction;
import lockstep.clinic.store.Records;
import lockstep.clinic.store.Records.Encounter;
import lockstep.clinic.store.Records.Patient;
import lockstep.clinic.store.Records.PatientEntry;

/**
 * The pages of patients, their encounters and prescriptions. A form that needs an entry of a code list is submitted twice: the button
 * "Look up" shows it again with the matches, and the button "Save" saves it.
 */
final class PatientPages {
    private static final LocalDate EARLIEST_BIRTH = LocalDate.of(1900, 1, 1);
    private static final int MOST_DAYS = 365;

    private final Site site;
    private final Records records;
    private final MasterData masterData;

    PatientPages(Site site, Records records, MasterData masterData) {
        this.site = site;
        this.records = records;
        this.masterData = masterData;
    }

    void route(RoutesConfig routes) {
        routes.get("/patients", ctx -> {
            String words = Optional.ofNullable(ctx.queryParam("q")).orElse("");
            site.render(ctx, "patients", Map.of("patients", records.patients(customer(ctx), words), "words", words));
        });
        routes.get("/patients/new", ctx -> showPatient(ctx, Optional.empty(), Form.with(Map.of())));
        routes.post("/patients", ctx -> postPatient(ctx, Optional.empty()));
        routes.get("/patients/{id}", ctx -> {
            var patient = patient(ctx);
            site.render(ctx, "patient", Map.of("patient", patient, "encounters", records.encounters(customer(ctx), patient.id())));
        });
        routes.get("/patients/{id}/edit", ctx -> {
            var patient = patient(ctx);
            showPatient(ctx, Optional.of(patient), Form.with(known(patient)));
        });
        routes.post("/patients/{id}/edit", ctx -> postPatient(ctx, Optional.of(patient(ctx))));
        routes.get("/patients/{id}/encounters/new", ctx -> showEncounter(ctx, patient(ctx), Form.with(Map.of())));
        routes.post("/patients/{id}/encounters", this::postEncounter);
        routes.get("/encounters/{id}/prescriptions/new",
                ctx -> showPrescription(ctx, encounter(ctx), Form.with(Map.of("days", "7")), List.of()));
        routes.post("/encounters/{id}/prescriptions", this::postPrescription);

        routes.get("/look-up/diseases", ctx -> choices(ctx, "disease", masterData.diseases(words(ctx))));
        routes.get("/look-up/drugs", ctx -> choices(ctx, "drug", masterData.drugs(words(ctx))));
        routes.get("/look-up/postal-codes", ctx -> choices(ctx, "town", masterData.postalCodes(words(ctx))));
    }

    private void postPatient(Context ctx, Optional<Patient> patient) {
        var form = Form.of(ctx);
        if (form.is("step", "look-up")) {
            showPatient(ctx, patient, form);
            return;
        }
        var born = form.date("born", EARLIEST_BIRTH, LocalDate.now());
        var town = Optional.of(form.value("town")).filter(it -> !it.isEmpty());
        var entry = new PatientEntry(form.text("name", 200), form.optional("kana", 200), born.orElse(LocalDate.EPOCH), town,
                form.optional("street", 200));
        if (born.isEmpty()) {
            form.reject("born", "Please fill this in.");
        }
        if (town.isPresent() && masterData.postalCode(town.get()).isEmpty()) {
            form.reject("town", "Please choose a town from the list.");
        }
        if (town.isEmpty() && !form.value("postal-code").isBlank()) {
            form.reject("town", "Please look up the postal code and choose a town, or leave it empty.");
        }
        if (form.hasErrors()) {
            showPatient(ctx.status(HttpStatus.UNPROCESSABLE_CONTENT), patient, form);
            return;
        }
        long id;
        if (patient.isPresent()) {
            id = patient.get().id();
            records.change(customer(ctx), id, entry);
        } else {
            id = records.add(customer(ctx), entry);
        }
        ctx.redirect("/patients/" + id, HttpStatus.SEE_OTHER);
    }

    private void showPatient(Context ctx, Optional<Patient> patient, Form form) {
        var choices = masterData.postalCodes(form.value("postal-code"));
        site.render(ctx, "patient_form", Map.of("patient", patient, "form", form, "choices",
                withChosen(choices, masterData.postalCode(form.value("town"))), "today", LocalDate.now()));
    }

    private void postEncounter(Context ctx) {
        var patient = patient(ctx);
        var form = Form.of(ctx);
        var note = form.optional("note", 4000);
        var disease = masterData.disease(form.value("disease"));
        if (form.is("step", "look-up")) {
            showEncounter(ctx, patient, form);
            return;
        }
        if (disease.isEmpty()) {
            form.reject("disease", "Please look up a disease and choose it.");
        }
        if (form.hasErrors()) {
            showEncounter(ctx.status(HttpStatus.UNPROCESSABLE_CONTENT), patient, form);
            return;
        }
        records.addEncounter(customer(ctx), patient.id(), Long.parseLong(disease.orElseThrow().id()), note);
        ctx.redirect("/patients/" + patient.id(), HttpStatus.SEE_OTHER);
    }

    private void showEncounter(Context ctx, Patient patient, Form form) {
        var choices = masterData.diseases(form.value("disease-words"));
        site.render(ctx, "encounter_form",
                Map.of("patient", patient, "form", form, "choices", withChosen(choices, masterData.disease(form.value("disease")))));
    }

    private void postPrescription(Context ctx) {
        var encounter = encounter(ctx);
        var form = Form.of(ctx);
        if (form.is("step", "look-up")) {
            showPrescription(ctx, encounter, form, List.of());
            return;
        }
        int days = form.number("days", 1, MOST_DAYS);
        var note = form.optional("note", 1000);
        var drug = masterData.drug(form.value("drug"));
        if (drug.isEmpty()) {
            form.reject("drug", "Please look up a drug and choose it.");
        }
        if (form.hasErrors()) {
            showPrescription(ctx.status(HttpStatus.UNPROCESSABLE_CONTENT), encounter, form, List.of());
            return;
        }
        long id = Long.parseLong(drug.orElseThrow().id());
        // only interactions of this drug that were shown on the page can have been accepted
        var accepted = form.is("accept", "yes") && form.is("warned-drug", drug.get().id()) ? numbers(form.value("warned"))
                : List.<Long>of();
        if (records.prescribe(customer(ctx), encounter, id, days, note, accepted)) {
            ctx.redirect("/patients/" + encounter.patient(), HttpStatus.SEE_OTHER);
        } else {
            showPrescription(ctx.status(HttpStatus.CONFLICT), encounter, form, records.interactions(customer(ctx), encounter, id));
        }
    }

    private void showPrescription(Context ctx, Encounter encounter, Form form, List<Interaction> warnings) {
        var patient = records.patient(customer(ctx), encounter.patient()).orElseThrow(NotFoundResponse::new);
        var choices = masterData.drugs(form.value("drug-words"));
        site.render(ctx, "prescription_form", Map.of("patient", patient, "encounter", encounter, "form", form, "warnings", warnings,
                "warned", warnings.stream().map(it -> Long.toString(it.id())).collect(Collectors.joining(",")), "choices",
                withChosen(choices, masterData.drug(form.value("drug")))));
    }

    private void choices(Context ctx, String name, List<Choice> choices) {
        site.renderPart(ctx, "choices", Map.of("name", name, "choices", choices, "chosen", "", "words", words(ctx)));
    }

    /** Keeps previous choices on the page when something else is looked up. */
    private static List<Choice> withChosen(List<Choice> choices, Optional<Choice> chosen) {
        if (chosen.isEmpty() || choices.contains(chosen.get()) || choices.stream().anyMatch(it -> it.id().equals(chosen.get().id()))) {
            return choices;
        }
        return Stream.concat(chosen.stream(), choices.stream()).toList();
    }

    private static Map<String, String> known(Patient patient) {
        var known = new HashMap<>(Map.of("name", patient.name(), "born", patient.bornOn().toString()));
        patient.kana().ifPresent(it -> known.put("kana", it));
        patient.street().ifPresent(it -> known.put("street", it));
        patient.postalCode().ifPresent(it -> {
            known.put("town", it);
            known.put("postal-code", it.substring(0, 7));
        });
        return known;
    }

    private String customer(Context ctx) {
        return site.member(ctx).customer();
    }

    private Patient patient(Context ctx) {
        return id(ctx).flatMap(id -> records.patient(customer(ctx), id)).orElseThrow(NotFoundResponse::new);
    }

    private Encounter encounter(Context ctx) {
        return id(ctx).flatMap(id -> records.encounter(customer(ctx), id)).orElseThrow(NotFoundResponse::new);
    }

    private static Optional<Long> id(Context ctx) {
        return Optional.of(ctx.pathParam("id")).filter(it -> it.matches("\\d{1,18}")).map(Long::valueOf);
    }

    private static List<Long> numbers(String text) {
        return text.matches("\\d{1,18}(,\\d{1,18}){0,500}") ? Arrays.stream(text.split(",")).map(Long::valueOf).toList() : List.of();
    }

    private static String words(Context ctx) {
        return Optional.ofNullable(ctx.queryParam("q")).orElse("");
    }
}
