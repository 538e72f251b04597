// What a command is, declared once as data: the reading of the command line, the log and help come from here.

/// One command of the program.
public struct CommandSpec: Sendable {
    /// Whether a command takes --stanza.
    public enum StanzaUse: Sendable { case required, optional, none }

    /// One argument after the command's name.
    public struct Positional: Sendable {
        /// In capitals, as help shows it: `WAL-PATH`.
        public var name: String
        /// False: without it the command fails with `.parameterRequired`.
        public var isOptional: Bool
        public init(_ name: String, isOptional: Bool = false) {
            self.name = name
            self.isOptional = isOptional
        }
    }

    /// As users type it: `archive-push`.
    public var name: String
    /// Some words, for the list of commands.
    public var summary: String
    /// Sentences, for its own page.
    public var details: String
    /// Heading in the general help.
    public var section: String
    /// In their order, optional ones last; a word too many fails with `.parameterInvalid`.
    public var positional: [Positional] = []
    /// After this first argument the second one stands for the type of the first repository.
    public var actionOnRepositoryType: String?
    /// For the usage line of help; who refuses a missing stanza is the option itself (`OptionSpec.requiredBy`).
    public var stanza = StanzaUse.required
    /// Runs as root without `allow-root`; where that option exists its default says the same.
    public var allowsRoot = false
    /// Works but is not shown in help.
    public var isHidden = false
    /// False: it is known, and running it fails with "not supported yet".
    public var isSupported = true
    /// Writes a log file of its own.
    public var hasLogFile = false
    /// Level of the lines that tell the begin and the end of the run.
    public var runLevel = LogLevel.info
    /// Without a stanza it runs once for each stanza of the configuration files.
    public var runsForEachStanza = false
    /// Commands that it vouches for: what they would refuse in the environment or the files, it refuses.
    public var vouchesFor: [String] = []
    /// False: neither environment nor files are looked at.
    public var readsConfiguration = true

    public init(_ name: String, section: String, summary: String, details: String) {
        self.name = name
        self.section = section
        self.summary = summary
        self.details = details
    }
}
