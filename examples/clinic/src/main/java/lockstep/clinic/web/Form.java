package lockstep.clinic.web;

import io.javalin.http.Context;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The fields of a form, with their errors. Reading a field validates it. */
public final class Form {
    private final Map<String, List<String>> values;
    private final Map<String, String> errors = new HashMap<>();

    private Form(Map<String, List<String>> values) {
        this.values = values;
    }

    static Form of(Context ctx) {
        return new Form(ctx.formParamMap());
    }

    /** Creates a form that is empty or filled with initial values. */
    static Form with(Map<String, String> known) {
        var values = new HashMap<String, List<String>>();
        known.forEach((name, value) -> values.put(name, List.of(value)));
        return new Form(values);
    }

    public String value(String name) {
        return values.getOrDefault(name, List.of("")).getFirst();
    }

    public Optional<String> error(String name) {
        return Optional.ofNullable(errors.get(name));
    }

    public boolean hasErrors() {
        return !errors.isEmpty();
    }

    void reject(String name, String error) {
        errors.putIfAbsent(name, error);
    }

    boolean is(String name, String value) {
        return value(name).equals(value);
    }

    /** Returns a required text, without surrounding whitespace. */
    String text(String name, int longest) {
        return optional(name, longest).orElseGet(() -> {
            reject(name, "Please fill this in.");
            return "";
        });
    }

    Optional<String> optional(String name, int longest) {
        String value = value(name).strip().replace("\r\n", "\n");
        if (value.length() > longest) reject(name, "Please enter at most %,d characters.".formatted(longest));
        if (value.chars().anyMatch(c -> Character.isISOControl(c) && c != '\n' && c != '\t')) {
            reject(name, "This text contains a character that cannot be stored.");
        }
        return value.isEmpty() ? Optional.empty() : Optional.of(value);
    }

    String email(String name) {
        String value = text(name, 200);
        if (!value.isEmpty() && !value.matches("[^\\s@<>\"]+@[^\\s@<>\"]+\\.[^\\s@<>\"]+")) reject(name, "This is not an e-mail address.");
        return value;
    }

    Optional<LocalDate> date(String name, LocalDate earliest, LocalDate latest) {
        var text = optional(name, 10);
        if (text.isEmpty()) return Optional.empty();
        try {
            var date = LocalDate.parse(text.get());
            if (!date.isBefore(earliest) && !date.isAfter(latest)) return Optional.of(date);
            reject(name, "Please enter a date from " + earliest + " to " + latest + ".");
        } catch (DateTimeException e) {
            reject(name, "Please enter a date such as 2026-01-31.");
        }
        return Optional.empty();
    }

    int number(String name, int least, int most) {
        String text = text(name, 9);
        if (text.matches("\\d{1,8}") && Integer.parseInt(text) >= least && Integer.parseInt(text) <= most) return Integer.parseInt(text);
        reject(name, "Please enter a whole number from %d to %d.".formatted(least, most));
        return least;
    }
}
