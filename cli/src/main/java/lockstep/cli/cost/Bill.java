package lockstep.cli.cost;

import java.util.List;

/**
 * What one account costs in a month, in US dollars.
 *
 * @param notPriced resources that may cost, and why no price stands here
 */
record Bill(String account, List<Line> lines, List<Saving> pausing, List<NotPriced> notPriced) {
    /** @param count of the resources that the line is for */
    record Line(String what, long count, double atRest, double atLoad) {}

    /**
     * @param database of the idle hours
     * @param service  of the application's tasks in the same hours: as long as one runs it stays connected, and the database awake
     * @param reason   what has to be done, or why it is nothing
     */
    record Saving(String shard, double database, double service, String reason) {}

    record NotPriced(String type, long count, String reason) {}

    double atRest() {
        return lines.stream().mapToDouble(Line::atRest).sum();
    }

    double atLoad() {
        return lines.stream().mapToDouble(Line::atLoad).sum();
    }

    double pausingSaves() {
        return pausing.stream().mapToDouble(saving -> saving.database() + saving.service()).sum();
    }
}
