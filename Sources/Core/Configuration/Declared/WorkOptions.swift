// Options of how a command works at its files, and what it does when one fails (cli.md section 1.3, General).

/// How many files are worked at, and what happens when one fails.
public enum WorkOptions {
    public static let processMax = OptionKey<Int>(
        .global("process-max", .integer(1...999), default: "1", CommandSets.workers, "number of workers")
            .details("How many files are copied and compressed at a time. A quarter of the processors is a good start."))
    public static let jobRetry = OptionKey<Int>(
        .global("job-retry", .integer(0...360), default: "2", CommandSets.workers, "how often a failed file is tried again")
            .defaultsByCommand(["archive-get": "1", "archive-push": "1"])
            .details("The first repetition follows at once, the others after job-retry-interval."))
    public static let jobRetryInterval = OptionKey<Duration>(
        .global("job-retry-interval", .time(0...15 * minute), default: "15s", CommandSets.workers, "pause between repetitions")
            .details("How long to wait before a failed file is tried again."))

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] = OptionSpec.section("General", [processMax.spec, jobRetry.spec, jobRetryInterval.spec])
}
