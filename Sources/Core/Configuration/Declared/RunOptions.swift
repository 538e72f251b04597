// Options of the process, whatever its command is (cli.md section 1.3, General).

/// How the process runs, and in which form it answers.
public enum RunOptions {
    public static let output = OptionKey<String>(
        .commandLine(
            "output", .choice(["text", "json"]), default: "text", ["info", "manifest", "repo-ls", "restore", "verify", "version"],
            "form of the result"
        )
        .whenFor("restore", "plan", "y")
        .choicesByCommand(["verify": ["none", "text"], "version": ["text", "num"]])
        .defaultsByCommand(["verify": "none"])
        .details("text is for people and may change; json and num are for programs. restore has a result to show only with --plan."))
    public static let allowRoot = OptionKey<Bool>(
        .global("allow-root", .boolean, default: "n", CommandSets.working, "permit to run as root")
            .defaultsByCommand(["restore": "y"])
            .details("Files made by root are out of reach for the database's own user, so most commands refuse."))
    public static let priority = OptionKey<Int?>(
        .global("priority", .integer(-20...19), CommandSets.working, "nice value of the process")
            .details("From -20 (most urgent) to 19 (least). The system's own applies when unset."))
    public static let neutralUmask = OptionKey<Bool>(
        .global("neutral-umask", .boolean, default: "y", CommandSets.creatingFiles, "make files with modes that do not depend on the umask")
            .details("Folders get 0750 and files 0640. With n the umask of the caller applies."))
    public static let execID = OptionKey<String?>(
        .commandLine("exec-id", .string, CommandSets.working, "name of this run in logs and locks")
            .details("Processes that one run starts share it. Made up when unset."))

    public static let cmd = OptionKey<String?>(
        .global("cmd", .string, CommandSets.workers, "this program, as others are to call it")
            .details("Goes into restore_command. Default is the program that runs."))

    public static let help = OptionKey<Bool>(
        .commandLine("help", .boolean, default: "n", ["help"], "show help").details("The same as the command help."))
    public static let version = OptionKey<Bool>(
        .commandLine("version", .boolean, default: "n", ["help"], "show the version").details("The same as the command version."))

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] =
        OptionSpec.section(
            "General",
            [output.spec, allowRoot.spec, priority.spec, neutralUmask.spec, cmd.spec, help.spec, version.spec])
        + OptionSpec.section(
            "Internal", isHidden: true,
            [execID.spec])
}
