package lockstep.cli;

import java.io.IOException;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import lockstep.cli.console.ConsolePage;
import lockstep.cli.console.ConsoleReader;
import lockstep.cli.console.ConsoleServer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "console",
        description = "Serves a web page on this machine that shows shards, syncs, what they changed, how long they took, and the commands "
                + "that roll back.",
        footer = {"", "The page updates itself until Ctrl-C. It is read-only: run the commands that it shows in a terminal."})
final class ConsoleCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Option(names = "--port", paramLabel = "PORT", defaultValue = "0",
            description = "The port on loopback (default: a free one).") private int port;

    @Option(names = "--html", paramLabel = "FILE",
            description = "Write the page to this file instead of serving it, for example as a CI report.") private Path html;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (port < 0 || port > 65535)
            throw new WrongUsage("--port takes a number from 0 to 65535, not " + port);
        if (html != null && !Files.isDirectory(html.toAbsolutePath().getParent()))
            throw new WrongUsage("--html: there is no directory " + html.toAbsolutePath().getParent());
        try (var accounts = place.open(main, place.landscape(main));
                var reader = new ConsoleReader(accounts, place.isAws(), main.landscapeOption())) {
            if (html != null) {
                Files.writeString(html, ConsolePage.report(reader.readAll()));
                main.answer(Map.of("file", html.toAbsolutePath().toString()), "wrote " + html);
                return 0;
            }
            try (var server = new ConsoleServer(port, reader::read)) {
                String url = "http://127.0.0.1:" + server.port() + "/";
                main.answer(Map.of("url", url), url);
                System.out.flush();
                Thread.currentThread().join();
                return 0;
            } catch (BindException e) {
                throw new IllegalStateException("port " + port + " is in use: choose another with --port", e);
            }
        }
    }
}
