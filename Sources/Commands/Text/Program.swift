// Names and numbers of the program.

internal import BackstopCore

/// What the program calls itself.
public enum Program {
    /// Of the executable, as users type it; `serve` introduces itself by it too.
    public static let name = "pgbackstop"
    /// As whoever reads a hint can call it.
    static let called = Dialect(program: CommandLine.arguments.first ?? "") == .own ? name : "pgbackrest"
    /// As sentences, headings and the labels of backups write it.
    public static let title = "pgBackstop"
    static let peersTitle = "pgBackRest"
    /// Major, minor and patch; it is written into repositories as well (`formatVersion`).
    public static let version = "0.1.0"
    /// Major, minor and patch, three digits each after the first, as `version --output=num` prints it.
    public static let versionNumber = "1000"
    /// What is written as `backrest-version` in repositories: free text to all readers.
    static let formatVersion = version
}
