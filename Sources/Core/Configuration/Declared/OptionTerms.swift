// The words in which the option table is written: short initialisers and what can be said about an option after them.

extension OptionSpec {
    /// `repoN-path` and `pgN-path` are written with their `N` and come several times.
    private init(
        _ place: Place, _ written: String, _ kind: Kind, _ defaultValue: String?, _ commands: Set<String>, _ summary: String
    ) {
        let group: Group? = written.hasPrefix("repoN-") ? .repo : written.hasPrefix("pgN-") ? .pg : nil
        let name = group.map { $0.rawValue + written.dropFirst($0.rawValue.utf8.count + 1) } ?? written
        self.init(name, kind, place, group: group, default: defaultValue, commands: commands, summary: summary)
    }

    /// For the command line and the environment only. `name`: with `N` when it comes several times, `repoN-path`.
    /// `default`: in text form; nil: unset. `summary`: some words.
    public static func commandLine(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.commandLine, name, kind, defaultValue, commands, summary) }

    /// The same for files too, in any section.
    public static func global(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.global, name, kind, defaultValue, commands, summary) }

    /// The same for files too, in the sections of a stanza only.
    public static func stanza(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.stanza, name, kind, defaultValue, commands, summary) }

    private func with(_ change: (inout OptionSpec) -> Void) -> OptionSpec {
        var option = self
        change(&option)
        return option
    }

    /// `text`: sentences, for its own page of help.
    public func details(_ text: String) -> OptionSpec { with { $0.details = text } }
    /// Never shown, and refused on the command line with `.optionInvalid`.
    public func secret() -> OptionSpec { with { $0.isSecret = true } }
    /// Its values are names of files, which need not be UTF-8 (FileName).
    public func fileNames() -> OptionSpec { with { $0.holdsFileNames = true } }
    /// Left out of help and of suggestions.
    public func hidden() -> OptionSpec { with { $0.isHidden = true } }
    /// Has a `--no-` form though it is no boolean: a choice that has the word `n` becomes that, all else is unset.
    public func negatable() -> OptionSpec { with { $0.isNegatable = true } }
    /// `text`: the default when pgBackRest's files are read, or when none is and the program is called by its name.
    public func peersDefault(_ text: String) -> OptionSpec { with { $0.peersDefault = text } }
    /// Whole, with `N` for an index (cli.md section 1.9).
    public func oldNames(_ names: String...) -> OptionSpec { with { $0.oldNames = names } }
    /// It parses, and any value but its default fails with `.unsupported`.
    public func unsupported() -> OptionSpec { with { $0.isSupported = false } }
    /// Those parse, and fail with `.unsupported` when they are given.
    public func unsupportedValues(_ values: String...) -> OptionSpec { with { $0.unsupportedValues = Set(values) } }
    /// As `unsupported()`, for `command` only.
    public func unsupportedFor(_ command: String) -> OptionSpec { with { $0.unsupportedFor = [command] } }

    /// `value`: what a file or the environment gets in place of what is not supported yet.
    public func instead(_ value: String) -> OptionSpec { with { $0.nearestSupported = value } }

    /// All commands that accept it, but for `others`, fail with `.optionRequired` without a value.
    public func required(except others: Set<String> = []) -> OptionSpec { with { $0.requiredBy = $0.commands.subtracting(others) } }
    /// Of the commands that accept it, those that fail with `.optionRequired` without a value.
    public func requiredBy(_ commands: Set<String>) -> OptionSpec { with { $0.requiredBy = commands } }

    /// Valid only when `option` has one of `values`, or any when there are none.
    public func when(_ option: String, _ values: String..., otherwise: String? = nil) -> OptionSpec {
        with { $0.dependency = Dependency(option, values, otherwise: otherwise) }
    }
    /// Likewise, for one command only.
    public func whenFor(_ command: String, _ option: String, _ values: String...) -> OptionSpec {
        with { $0.dependencyByCommand[command] = Dependency(option, values) }
    }

    /// In text form, by the name of the command; all others have the common default.
    public func defaultsByCommand(_ values: [String: String]) -> OptionSpec { with { $0.defaultByCommand = values } }
    /// By the name of the command: all its words, in place of those of the kind.
    public func choicesByCommand(_ words: [String: [String]]) -> OptionSpec { with { $0.choicesByCommand = words } }
    /// By the value of the option that it depends on.
    public func defaultsByDependency(_ values: [String: String]) -> OptionSpec { with { $0.defaultByDependency = values } }
    /// By the value of the option that it depends on, in the unit of its kind.
    public func rangesByDependency(_ values: [String: ClosedRange<Int64>]) -> OptionSpec { with { $0.rangeByDependency = values } }

    /// `options` under a heading of help. False for `isSupported` and true for `isHidden` hold for each of them.
    public static func section(_ name: String, isSupported: Bool = true, isHidden: Bool = false, _ options: [OptionSpec]) -> [OptionSpec] {
        options.map { option in
            option.with {
                $0.section = name
                if !isSupported { $0.isSupported = false }
                if isHidden { $0.isHidden = true }
            }
        }
    }
}

/// Ranges and words that several options share.
extension OptionSpec.Kind {
    /// Any TCP port.
    public static let port = OptionSpec.Kind.integer(1...65535)
    /// Likewise; 0 leaves the choice to the client.
    public static let portOrNone = OptionSpec.Kind.integer(0...65535)
}

/// In bytes.
public let KiB: Int64 = 1 << 10
/// In bytes.
public let MiB: Int64 = 1 << 20
/// In bytes.
public let GiB: Int64 = 1 << 30
/// In bytes.
public let TiB: Int64 = 1 << 40
/// In bytes.
public let PiB: Int64 = 1 << 50
/// In milliseconds, as options of times have it.
public let second: Int64 = 1000
/// In milliseconds.
public let minute = 60 * second
/// In milliseconds.
public let hour = 60 * minute
/// In milliseconds.
public let day = 24 * hour
