package lockstep.cost;

import java.util.List;

/**
 * What one account costs in a month, in US dollars.
 *
 * @param notPriced resources that may cost, and why no price stands here
 */
public record Bill(String account, List<Line> lines, List<Saving> pausing, List<NotPriced> notPriced) {
    /** @param count of the resources that the line is for */
    public record Line(String what, long count, double atRest, double atLoad) {}

    /**
     * @param database of the idle hours
     * @param service  of the application's tasks in the same hours: as long as one runs it stays connected, and the database awake
     * @param reason   what has to be done, or why it is nothing
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
