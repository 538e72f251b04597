// Options of the log (cli.md section 1.3, Log).

/// How much the log has, and where it goes.
public enum LogOptions {
    private static let levels = OptionSpec.Kind.choice(LogLevel.allCases.map { "\($0)" })

    public static let levelConsole = OptionKey<LogLevel>(
        .global("log-level-console", levels, default: "warn", CommandSets.working, "what standard output shows")
            .details("Each level contains those before it. With warn a good run prints nothing."))
    public static let levelFile = OptionKey<LogLevel>(
        .global("log-level-file", levels, default: "info", CommandSets.working, "what the log file gets")
            .details("With off there is no log file."))
    public static let levelStderr = OptionKey<LogLevel>(
        .global("log-level-stderr", levels, default: "off", CommandSets.working, "what standard error shows")
            .details("What goes there is not repeated on standard output, and has neither time nor worker in front."))
    public static let path = OptionKey<String>(
        .global("log-path", .path, default: "/var/log/pgbackstop", CommandSets.working, "folder of the log files")
            .peersDefault("/var/log/pgbackrest")
            .details("A file for each stanza and command. One that cannot be written is a warning, no failure."))
    public static let subprocess = OptionKey<Bool>(
        .global("log-subprocess", .boolean, default: "n", CommandSets.repository, "log files for other processes too")
            .unsupportedValues("y").instead("n")
            .details("For looking at a problem; makes many files."))
    public static let timestamp = OptionKey<Bool>(
        .global("log-timestamp", .boolean, default: "y", CommandSets.working, "begin lines with the time")
            .details("Turn it off where the receiver of the log adds its own."))

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] = OptionSpec.section(
        "Log",
        [levelConsole.spec, levelFile.spec, levelStderr.spec, path.spec, subprocess.spec, timestamp.spec])
}

extension LogLevel: OptionReadable {
    public init?(option value: OptionValue?) {
        guard let word = String(option: value) else { return nil }
        self.init(word)
    }
}
