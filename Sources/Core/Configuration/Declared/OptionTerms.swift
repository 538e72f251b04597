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

    public static func commandLine(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.commandLine, name, kind, defaultValue, commands, summary) }

    public static func global(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.global, name, kind, defaultValue, commands, summary) }

    public static func stanza(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.stanza, name, kind, defaultValue, commands, summary) }

    private func with(_ change: (inout OptionSpec) -> Void) -> OptionSpec {
        var option = self
        change(&option)
        return option
    }

    public func details(_ text: String) -> OptionSpec { with { $0.details = text } }
    public func secret() -> OptionSpec { with { $0.isSecret = true } }
    public func fileNames() -> OptionSpec { with { $0.holdsFileNames = true } }
    public func hidden() -> OptionSpec { with { $0.isHidden = true } }
    public func negatable() -> OptionSpec { with { $0.isNegatable = true } }
    public func peersDefault(_ text: String) -> OptionSpec { with { $0.peersDefault = text } }
    public func oldNames(_ names: String...) -> OptionSpec { with { $0.oldNames = names } }
    public func unsupported() -> OptionSpec { with { $0.isSupported = false } }
    public func unsupportedValues(_ values: String...) -> OptionSpec { with { $0.unsupportedValues = Set(values) } }
    public func unsupportedFor(_ command: String) -> OptionSpec { with { $0.unsupportedFor = [command] } }

    /// `value`: what a file or the environment gets in place of what is not supported yet.
    public func instead(_ value: String) -> OptionSpec { with { $0.nearestSupported = value } }

    public func required(except others: Set<String> = []) -> OptionSpec { with { $0.requiredBy = $0.commands.subtracting(others) } }
    public func requiredBy(_ commands: Set<String>) -> OptionSpec { with { $0.requiredBy = commands } }

    /// Valid only when `option` has one of `values`, or any when there are none.
    public func when(_ option: String, _ values: String..., otherwise: String? = nil) -> OptionSpec {
        with { $0.dependency = Dependency(option, values, otherwise: otherwise) }
    }
    /// Likewise, for one command only.
    public func whenFor(_ command: String, _ option: String, _ values: String...) -> OptionSpec {
        with { $0.dependencyByCommand[command] = Dependency(option, values) }
    }

    public func defaultsByCommand(_ values: [String: String]) -> OptionSpec { with { $0.defaultByCommand = values } }
    public func choicesByCommand(_ words: [String: [String]]) -> OptionSpec { with { $0.choicesByCommand = words } }
    /// By the value of the option that it depends on.
    public func defaultsByDependency(_ values: [String: String]) -> OptionSpec { with { $0.defaultByDependency = values } }
    public func rangesByDependency(_ values: [String: ClosedRange<Int64>]) -> OptionSpec { with { $0.rangeByDependency = values } }

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
    public static let port = OptionSpec.Kind.integer(1...65535)
    public static let portOrNone = OptionSpec.Kind.integer(0...65535)
}

public let KiB: Int64 = 1 << 10
public let MiB: Int64 = 1 << 20
public let GiB: Int64 = 1 << 30
public let TiB: Int64 = 1 << 40
public let PiB: Int64 = 1 << 50
public let second: Int64 = 1000
public let minute = 60 * second
public let hour = 60 * minute
public let day = 24 * hour
