// Options of the log (cli.md section 1.3, Log).

import BackstopCore

private let levels = OptionSpec.Kind.choice(["off", "error", "warn", "info", "detail", "debug", "trace"])

let logOptions = OptionSpec.section(
    "Log",
    [
        .global("log-level-console", levels, default: "warn", Commands.working, "what standard output shows")
            .details("Each level contains those before it. With warn a good run prints nothing."),
        .global("log-level-file", levels, default: "info", Commands.working, "what the log file gets")
            .details("With off there is no log file."),
        .global("log-level-stderr", levels, default: "off", Commands.working, "what standard error shows")
            .details("What goes there is not repeated on standard output, and has neither time nor worker in front."),
        .global("log-path", .path, default: "/var/log/pgbackstop", Commands.working, "folder of the log files")
            .peersDefault("/var/log/pgbackrest")
            .details("A file for each stanza and command. One that cannot be written is a warning, no failure."),
        .global("log-subprocess", .boolean, default: "n", Commands.repository, "log files for other processes too")
            .details("For looking at a problem; makes many files."),
        .global("log-timestamp", .boolean, default: "y", Commands.working, "begin lines with the time")
            .details("Turn it off where the receiver of the log adds its own."),
    ])
