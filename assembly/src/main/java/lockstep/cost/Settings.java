package lockstep.cost;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import lockstep.project.UserFault;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** A YAML mapping. {@link #end} reports every entry that was not read as a mistake. */
public final class Settings {
    private final String where;
    private final Map<String, Object> values;
    private final TreeSet<String> read = new TreeSet<>();

    private Settings(String where, Map<String, Object> values) {
        this.where = where;
        this.values = values;
    }

    public static Settings ofResource(String name) {
        try (InputStream in = Settings.class.getResourceAsStream(name)) {
            return of(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static Settings ofFile(Path file) {
        try {
            return of(file.toString(), Files.readString(file));
        } catch (IOException e) {
            throw new UserFault("cannot read " + file + ": "
                    + (e instanceof java.nio.file.NoSuchFileException ? "there is no such file" : e.getMessage()), e);
        }
    }

    static Settings of(String where, String yaml) {
        try {
            return mapping(where, new Load(LoadSettings.builder().setLabel(where).build()).loadFromString(yaml));
        } catch (YamlEngineException e) {
            throw new UserFault(where + " is not YAML: " + e.getMessage(), e);
        }
    }

    private static Settings mapping(String where, Object value) {
        if (!(value instanceof Map<?, ?> map)) throw new UserFault(where + ": expected a mapping of names to values, found " + value);
        var values = new TreeMap<String, Object>();
        map.forEach((name, each) -> values.put(String.valueOf(name), each));
        return new Settings(where, values);
    }

    String where() {
        return where;
    }

    List<String> names() {
        return List.copyOf(values.keySet());
    }

    Settings settings(String name) {
        return mapping(where + ": " + name, value(name));
    }

    String text(String name) {
        return String.valueOf(value(name));
    }

    double number(String name, double least, double most) {
        if (value(name) instanceof Number number && number.doubleValue() >= least && number.doubleValue() <= most) {
            return number.doubleValue();
        }
        throw new UserFault(
                where + ": " + name + " is '" + value(name) + "'; expected a number from " + plain(least) + " to " + plain(most));
    }

    boolean flag(String name) {
        if (value(name) instanceof Boolean flag) return flag;
        throw new UserFault(where + ": " + name + " is '" + value(name) + "'; expected true or false");
    }

    private static String plain(double number) {
        return java.math.BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
    }

    private Object value(String name) {
        read.add(name);
        Object value = values.get(name);
        if (value == null) throw new UserFault(where + ": '" + name + "' is missing");
        return value;
    }

    void end() {
        var unknown = new TreeSet<>(values.keySet());
        unknown.removeAll(read);
        if (!unknown.isEmpty()) {
            throw new UserFault(where + ": '" + unknown.first() + "' is not known; expected " + String.join(", ", read));
        }
    }
}
