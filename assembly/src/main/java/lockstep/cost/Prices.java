package lockstep.cost;

import java.math.BigDecimal;
import java.util.Map;
import java.util.TreeMap;
import lockstep.project.UserFault;

/**
 * A dated table of AWS prices in one region.
 *
 * @param byName the prices, in US dollars
 */
public record Prices(String region, String date, Map<String, Price> byName) {
    /** @param verified whether the price was looked up on the date of the table */
    public record Price(double usd, String source, boolean verified) {}

    public static Prices read(Settings settings) {
        var prices = new TreeMap<String, Price>();
        var table = settings.settings("prices");
        for (String name : table.names()) {
            var entry = table.settings(name);
            prices.put(name, new Price(entry.number("usd", 0, 1e6), entry.text("source"), entry.flag("verified")));
            entry.end();
        }
        var read = new Prices(settings.text("region"), settings.text("date"), Map.copyOf(prices));
        settings.end();
        if (!read.date.matches("\\d{4}-\\d{2}-\\d{2}")) {
            throw new UserFault(settings.where() + ": date is '" + read.date + "'; expected a day such as 2026-11-23");
        }
        return read;
    }

    Price of(String name) {
        var price = byName.get(name);
        if (price == null) {
            throw new UserFault("the price table of " + date + " has no '" + name + "': add it with usd, source and verified");
        }
        return price;
    }

    public long unverified() {
        return byName.values().stream().filter(price -> !price.verified()).count();
    }

    /** Formats an amount with two decimals. */
    public static String dollars(double amount) {
        return BigDecimal.valueOf(amount).setScale(2, java.math.RoundingMode.HALF_UP).toPlainString();
    }
}
