// The resolved configuration of one run: a value that commands and drivers read.

/// Where a value came from.
public enum OptionSource: Sendable, Equatable {
    case defaultValue, file(String), environment(String), commandLine
}

/// A value in the form of its kind.
public enum OptionValue: Sendable, Equatable {
    case text(String)
    case flag(Bool)
    /// Plain integers, sizes in bytes, times in milliseconds.
    case number(Int64)
    case list([String])
    case map([String: String])
}

/// Read by the keys of the declarations (OptionKey). Names are given without index and the index apart; ungrouped options have index 0. An option that is unset has no value.
public struct Options: Sendable {
    /// `repo-path` with its index; index 0 of options that are in no group.
    public struct Name: Hashable, Sendable {
        /// Without index: `repo-path`.
        public var name: String
        /// 1…256; 0 when the option is in no group.
        public var index: Int
        public init(_ name: String, _ index: Int = 0) {
            self.name = name
            self.index = index
        }
    }

    /// A value, and who said so.
    public struct Resolved: Sendable {
        /// In the form of the option's kind.
        public var value: OptionValue
        /// `.defaultValue` also where it follows from other options.
        public var source: OptionSource
        public init(_ value: OptionValue, _ source: OptionSource) {
            self.value = value
            self.source = source
        }
    }

    /// Those that have a value. `OptionKey` is the way to read them.
    public var values: [Name: Resolved]

    public init(_ values: [Name: Resolved] = [:]) { self.values = values }

    func value(_ name: String, _ index: Int = 0) -> OptionValue? { values[Name(name, index)]?.value }

    func source(_ name: String, _ index: Int = 0) -> OptionSource? { values[Name(name, index)]?.source }

    /// Whether the user gave it.
    func isGiven(_ name: String, _ index: Int = 0) -> Bool {
        guard let source = source(name, index) else { return false }
        return source != .defaultValue
    }

    /// The configured indexes of a group, ascending.
    public func indexes(_ group: OptionSpec.Group) -> [Int] {
        Set(values.keys.lazy.filter { $0.index > 0 && $0.name.hasPrefix(group.rawValue + "-") }.map(\.index)).sorted()
    }

}

extension Options {
    /// From `neutral-umask`.
    public var newModes: NewModes { self[RunOptions.neutralUmask] ? .neutral : .masked }
}
