package lockstep.cost;

import java.util.List;

/**
 * The monthly cost of one account in US dollars.
 *
 * @param notPriced resources that may cost something, with the reason why they are not priced
 */
public record Bill(String account, List<Line> lines, List<Saving> pausing, List<NotPriced> notPriced) {
    /** @param count the number of resources in the line */
    public record Line(String what, long count, double atRest, double atLoad) {}

    /**
     * @param database the saving for the database in the idle hours
     * @param service  the saving for the application's tasks in the same hours; a running task stays connected and keeps the database awake
     * @param reason   what to do for the saving, or why there is none
     */
    public record Saving(String shard, double database, double service, String reason) {}

    public record NotPriced(String type, long count, String reason) {}

    public double atRest() {
        return lines.stream().mapToDouble(Line::atRest).sum();
    }

    public double atLoad() {
        return lines.stream().mapToDouble(Line::atLoad).sum();
    }

    public double pausingSaves() {
        return pausing.stream().mapToDouble(saving -> saving.database() + saving.service()).sum();
    }
}
