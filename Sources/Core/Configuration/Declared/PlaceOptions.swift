// Options that say where a repository is (cli.md section 1.3, Repository).

/// Which storage a repository has, and where it lies in it.
public enum PlaceOptions {
    public static let type = OptionKey<String>(
        .global(
            "repoN-type", .choice([]), default: usualType, CommandSets.repository,
            "where the repository is"
        )
        .oldNames("repo-type")
        .details("posix is a folder of this host; cifs is one without links."))
    public static let path = OptionKey<String>(
        .global("repoN-path", .path, default: "/var/lib/pgbackstop", CommandSets.repository, "folder of the repository")
            .peersDefault("/var/lib/pgbackrest")
            .oldNames("repo-path").details("In an object store what all names begin with. Repositories do not share one."))
    public static let targetTime = OptionKey<String?>(
        .global("repo-target-time", .string, CommandSets.readingInThePast, "see the repository as it was at this time")
            .when("repo").details("For object stores that keep old versions."))

    public static let readOver = OptionKey<Int>(
        .global("repoN-storage-read-over", .size(0...MiB), default: "64KiB", CommandSets.repository, "gap that is read rather than skipped")
            .when("repo-type", "azure", "gcs", "s3").details("A new request costs more than a few bytes too many."))

    /// A folder of this host.
    public static let usualType = "posix"

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] =
        OptionSpec.section(
            "Repository",
            [type.spec, path.spec, targetTime.spec])
        + OptionSpec.section("Object store", [readOver.spec])
}
