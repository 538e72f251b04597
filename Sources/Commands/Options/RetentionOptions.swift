// Options of how long backups and WAL stay (cli.md section 1.3, Repository).

import BackstopCore

enum RetentionOptions {
    private static let count = OptionSpec.Kind.integer(1...9_999_999)

    static let full = OptionKey<Int?>(
        .global("repoN-retention-full", count, CommandSets.retaining, "how many full backups stay")
            .oldNames("retention-full").details("A number, or days with repo-retention-full-type=time. When unset all stay."))
    static let fullType = OptionKey<String>(
        .global(
            "repoN-retention-full-type", .choice(["count", "time"]), default: "count", CommandSets.retaining,
            "what repo-retention-full counts"
        )
        .details("time keeps as many backups as it takes to go back that many days."))
    static let diff = OptionKey<Int?>(
        .global("repoN-retention-diff", count, CommandSets.retaining, "how many differential backups stay")
            .oldNames("retention-diff").details("When unset they stay as long as their full backup."))
    static let archive = OptionKey<Int?>(
        .global("repoN-retention-archive", count, CommandSets.retaining, "of how many backups all WAL stays")
            .oldNames("retention-archive")
            .details("Of older ones only the WAL stays that makes them consistent. Follows the backups when unset."))
    static let archiveType = OptionKey<String>(
        .global(
            "repoN-retention-archive-type", .choice(["full", "diff", "incr"]), default: "full", CommandSets.retaining,
            "backups that count for WAL"
        )
        .oldNames("retention-archive-type").details("Which kinds repo-retention-archive counts."))
    static let history = OptionKey<Int?>(
        .global("repoN-retention-history", .integer(0...9_999_999), CommandSets.retaining, "days that the history of backups stays")
            .details("0 keeps only that of backups that are there; when unset all stays."))
    static let dryRun = OptionKey<Bool>(
        .commandLine("dry-run", .boolean, default: "n", ["expire"], "only tell what would be removed")
            .unsupported().details("Nothing is changed."))
    static let oldest = OptionKey<Bool>(
        .commandLine("oldest", .boolean, default: "n", ["expire"], "remove the oldest full backup and what depends on it")
            .unsupported().details("As if one backup less were to stay, this once."))
    static let archiveExpireBefore = OptionKey<String?>(
        .commandLine("archive-expire-before", .string, ["expire"], "remove WAL before this segment")
            .unsupported().details("Unless a backup needs it."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "Retention",
        [
            full.spec, fullType.spec, diff.spec, archive.spec, archiveType.spec, history.spec, dryRun.spec, oldest.spec,
            archiveExpireBefore.spec,
        ])
}
