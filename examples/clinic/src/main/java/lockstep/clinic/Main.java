package lockstep.clinic;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import lockstep.clinic.configuration.AddUserConfiguration;
import lockstep.clinic.configuration.MigrateConfiguration;
import lockstep.clinic.configuration.ServeConfiguration;
import lockstep.clinic.store.Accounts;
import lockstep.clinic.store.Database;
import lockstep.clinic.store.Passwords;
import lockstep.clinic.store.PublishedAssets;
import lockstep.clinic.store.StoreFault;
import lockstep.clinic.web.Application;
import lockstep.clinic.web.Assets;
import lockstep.clinic.web.JsonLog;
import lockstep.clinic.web.Server;

/** The commands of the clinic's image. Exit codes: 0 success, 1 failure, 2 invalid command or environment. */
public final class Main {
    private static final String USAGE = """
            usage: Main serve | migrate | add-user CUSTOMER CLINIC USER NAME | seed master DIRECTORY | seed visitors

            serve     serves browsers until SIGTERM
                      EDITION (production or demo), SHARD, DATABASE_SECRET, SESSION_KEY (32 bytes or more);
                      RELEASE, LISTEN_ADDRESS (0.0.0.0), PORT (8443), HEALTH_PORT (8081), DATABASE_SSL_ROOT,
                      DRAIN_DELAY (PT5S: how long to keep serving after SIGTERM);
                      demo: TENANTS_EXPIRE_AFTER (such as PT168H), INQUIRY_TOPIC_ARN, AWS_REGION, AWS_ENDPOINT_URL
            migrate   migrates the schema and creates the application's user
                      ADMIN_SECRET, APPLICATION_SECRET, DATABASE_SSL_ROOT
            add-user  adds a user, and the customer if it does not exist, or changes a user's password; reads the password from standard \
            input
                      DATABASE_SECRET, DATABASE_SSL_ROOT
            seed      loads the code lists that data/export.py wrote to a directory, or adds sample rows of visitors, unless there are any
                      ADMIN_SECRET, APPLICATION_SECRET, DATABASE_SSL_ROOT

            A *_SECRET is JSON with host, port, dbname, username and password.
            """;
    /** The time after the drain delay. Both together must be less than a container's stop timeout. */
    private static final Duration FINISH = Duration.ofSeconds(15);
    /** Long, because a paused Aurora cluster takes half a minute to resume and no page is waiting. */
    private static final Duration A_DATABASE_WAKES_UP = Duration.ofMinutes(1);
    private static final int SHORTEST_PASSWORD = 12;

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(run(List.of(arguments), System.getenv()));
    }

    private static int run(List<String> arguments, Map<String, String> variables) {
        String command = arguments.isEmpty() ? "" : arguments.getFirst();
        var rest = arguments.stream().skip(1).toList();
        try {
            return switch (command) {
                case "serve" -> rest.isEmpty() ? serve(new Environment(variables).serve()) : usage();
                case "migrate" -> rest.isEmpty() ? migrate(new Environment(variables).migrate()) : usage();
                case "add-user" -> rest.size() == 4 ? addUser(new Environment(variables).addUser(), rest) : usage();
                case "seed" -> rest.equals(List.of("visitors")) || rest.size() == 2 && rest.getFirst().equals("master")
                        ? seed(new Environment(variables).migrate(), rest) : usage();
                case "--help", "-h" -> {
                    System.out.print(USAGE);
                    yield 0;
                }
                default -> usage();
            };
        } catch (ConfigurationFault e) {
            e.problems().forEach(problem -> System.err.println("clinic: " + problem));
            return 2;
        } catch (ClinicFault | StoreFault e) {
            System.err.println("clinic: " + e.getMessage());
            return 1;
        }
    }

    private static int usage() {
        System.err.print(USAGE);
        return 2;
    }

    private static int serve(ServeConfiguration configuration) {
        JsonLog.install();
        var application = new Application(configuration, new Server.Stopping(configuration.drainDelay(), FINISH));
        application.start();
        var stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            application.close();
            stopped.countDown();
        }));
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    private static int migrate(MigrateConfiguration configuration) {
        JsonLog.install();
        var admin = configuration.admin();
        String url = admin.url(configuration.databaseAuthority());
        int applied = ClinicDatabase.migrate(url, admin.username(), admin.password());
        ClinicDatabase.grantApplication(url, admin.username(), admin.password(), configuration.application().username(),
                configuration.application().password());
        // before any page requests them
        PublishedAssets.publish(url, admin.username(), admin.password(), Assets.load().generation());
        System.out.println("applied " + applied + " migrations; " + configuration.application().username() + " has access to the database");
        return 0;
    }

    private static int seed(MigrateConfiguration configuration, List<String> arguments) {
        var admin = configuration.admin();
        try (var connection = DriverManager.getConnection(admin.url(configuration.databaseAuthority()), admin.username(),
                admin.password())) {
            long rows = arguments.size() == 2 ? ClinicDatabase.seedMaster(connection, Path.of(arguments.getLast()))
                    : ClinicDatabase.seedVisitors(connection);
            System.out.println("added " + rows + " rows");
        } catch (SQLException e) {
            throw new ClinicFault("could not connect to the database: " + e.getMessage(), e);
        }
        return 0;
    }

    private static int addUser(AddUserConfiguration configuration, List<String> arguments) {
        String customer = arguments.getFirst();
        if (!customer.matches("[a-z0-9][a-z0-9_-]{0,62}")) {
            System.err.println("clinic: CUSTOMER is '" + customer + "'; expected 1 to 63 of a-z, 0-9, - and _");
            return 2;
        }
        String password = line();
        if (password.length() < SHORTEST_PASSWORD) {
            System.err.println("clinic: the password on standard input has " + password.length() + " characters; expected at least "
                    + SHORTEST_PASSWORD);
            return 2;
        }
        JsonLog.install();
        try (var database = new Database(configuration.database(), configuration.databaseAuthority(), A_DATABASE_WAKES_UP)) {
            new Accounts(database, new Passwords()).put(customer, arguments.get(1), arguments.get(2), arguments.get(3), password);
        }
        return 0;
    }

    private static String line() {
        try {
            String line = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
            return line == null ? "" : line;
        } catch (IOException e) {
            throw new ClinicFault("cannot read standard input: " + e.getMessage(), e);
        }
    }
}
