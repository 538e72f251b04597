// Options that say where the configuration is, and whose it is (cli.md section 1.3, General).

/// Which files are read, and which stanza is meant.
public enum SourceOptions {
    public static let stanza = OptionKey<String?>(
        .commandLine("stanza", .string, CommandSets.stanza, "name of the cluster's definition")
            .required(except: ["check", "driver", "info", "serve", "start", "stop", "repo-get", "repo-ls", "repo-rm"])
            .details("Chooses the sections [STANZA] and [STANZA:COMMAND] of the configuration and the folders in the repository."))
    public static let config = OptionKey<String>(
        .commandLine("config", .string, default: "/etc/pgbackstop/pgbackstop.conf", CommandSets.readingFiles, "main configuration file")
            .negatable()
            .peersDefault("/etc/pgbackrest/pgbackrest.conf")
            .details(
                """
                A file named here must exist, and the folder of additional files is then read only if it is named too. \
                --no-config reads no file at all. Without a file of ours that of pgBackRest is read, and the log says so; under the name pgbackrest it is the other way round.
                """))
    public static let configPath = OptionKey<String>(
        .commandLine("config-path", .path, default: "/etc/pgbackstop", CommandSets.readingFiles, "folder of the configuration")
            .peersDefault("/etc/pgbackrest")
            .details("Moves the main file and the folder conf.d; neither has to exist."))
    public static let configIncludePath = OptionKey<String>(
        .commandLine(
            "config-include-path", .path, default: "/etc/pgbackstop/conf.d", CommandSets.readingFiles,
            "folder with additional configuration files"
        )
        .peersDefault("/etc/pgbackrest/conf.d")
        .details("Its files *.conf are read in the order of their names, after the main file."))
    public static let configStrict = OptionKey<Bool>(
        .global("config-strict", .boolean, default: "y", CommandSets.working, "refuse configuration files with unknown options")
            .details(
                """
                A misspelt option is as good as none, and nobody may notice until a restore. With n it is only a warning, which is \
                what pgBackRest does.
                """))
    public static let plugins = OptionKey<String>(
        .commandLine("plugins", .path, default: usualPlugins, CommandSets.working, "file that lists drivers and codecs")
            .details("What it does not list does not exist for this run. Without a file everything built in is there."))

    /// Where plugins.conf is when none is named; it need not exist.
    public static let usualPlugins = "/etc/pgbackstop/plugins.conf"

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] = OptionSpec.section(
        "General",
        [stanza.spec, config.spec, configPath.spec, configIncludePath.spec, configStrict.spec, plugins.spec])
}
