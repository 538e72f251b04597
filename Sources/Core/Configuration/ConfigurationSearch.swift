// Which configuration files are read (cli.md section 1.6), and that those of the other program stand in where there are none.

import Glibc

/// Where the files are when nobody says otherwise. Tests put other folders in.
public struct ConfigurationFolders: Sendable {
    /// The folder of our configuration, and that of the peer's, which is read where ours is not there.
    public var ours = "/etc/pgbackstop"
    /// The folder of pgBackRest's files, which come first when the program is called by that name.
    public var peers = "/etc/pgbackrest"
    /// Where pgBackRest looked long ago.
    public var peersOldFile = "/etc/pgbackrest.conf"
    public init() {}

    static let includeFolder = "conf.d"

    static func file(_ owner: Dialect) -> String { owner == .own ? "pgbackstop.conf" : "pgbackrest.conf" }

    /// Whose a file is by its name; nil for other names.
    static func owner(ofFile path: String) -> Dialect? {
        [.own, .pgBackRest].first {
            path.split(separator: "/").last == file($0)[...] || path.hasPrefix("/etc/pgback\($0 == .own ? "stop" : "rest")")
        }
    }

    func folder(_ owner: Dialect) -> String { owner == .own ? ours : peers }

    /// Where the main file of `owner` may be, the first that exists counts.
    func mainFiles(_ owner: Dialect) -> [String] {
        ["\(folder(owner))/\(Self.file(owner))"] + (owner == .own ? [] : [peersOldFile])
    }
}

/// Finds and reads the files.
struct ConfigurationSearch {
    /// What the command line or the environment say about where the files are.
    struct Request {
        var file: String?
        var noFile = false
        var folder: String?
        var includeFolder: String?
        var stanza: String?
    }

    private(set) var file = ConfigurationFile()
    private(set) var notes: [String] = []
    private(set) var warnings: [String] = []
    /// Whose files were read; where there are none, whose would have been.
    private(set) var owner: Dialect

    /// `dialect`: whose files are preferred.
    init(_ request: Request, _ folders: ConfigurationFolders, _ dialect: Dialect) throws(BackupError) {
        owner = dialect
        if let path = request.file {
            owner = ConfigurationFolders.owner(ofFile: path) ?? dialect
            guard try append(path) else { throw BackupError(.fileMissing, "configuration file '\(path)' is missing") }
        } else if !request.noFile, let folder = request.folder {
            let preferred = folder + "/" + ConfigurationFolders.file(dialect)
            if try !append(preferred) {
                let path = folder + "/" + ConfigurationFolders.file(dialect.other)
                if exists(path) {
                    owner = dialect.other
                    _ = try append(path)
                    notes.append("configuration read from '\(path)', because '\(preferred)' is missing")
                }
            }
        } else if !request.noFile {
            try appendDefault(folders, request, dialect)
        }

        if let folder = request.includeFolder {
            guard let names = try includes(folder) else {
                throw BackupError(.pathMissing, "configuration folder '\(folder)' is missing")
            }
            for path in names { _ = try append(path) }
        } else if let folder = request.folder {
            for path in try includes(folder + "/" + ConfigurationFolders.includeFolder) ?? [] { _ = try append(path) }
        }
    }

    /// The files of one program are read as a whole, and the other's only where there are none: two half configurations make no whole one.
    private mutating func appendDefault(_ folders: ConfigurationFolders, _ request: Request, _ dialect: Dialect) throws(BackupError) {
        let withIncludes = request.includeFolder == nil
        let own = try standing(dialect, folders, withIncludes)
        let missing = folders.mainFiles(dialect)[0]
        if own.isEmpty {
            let others = try standing(dialect.other, folders, withIncludes)
            guard let first = others.first else { return }
            owner = dialect.other
            for path in others { _ = try append(path) }
            notes.append("configuration read from '\(first)', because '\(missing)' is missing")
            return
        }
        for path in own { _ = try append(path) }
        // Whatever is wrong with files that are not read is nobody's error.
        guard let others = try? standing(dialect.other, folders, withIncludes), let other = others.first else { return }
        notes.append("configuration read from '\(own[0])', not from '\(other)', which is there as well")
        guard dialect == .own, let stanza = request.stanza, !file.hasStanza(stanza) else { return }
        var unread = ConfigurationFile()
        for path in others { if let bytes = try? readFile(path) { try? unread.append(bytes, path: path, isPeers: true) } }
        if unread.hasStanza(stanza) {
            warnings.append(
                "stanza '\(stanza)' has no section in '\(own[0])', which is read, but one in '\(other)', which is not"
                    + "\nHINT: move it, or name the file with --config.")
        }
    }

    /// The files of one program that exist, in the order in which they are read.
    private func standing(_ owner: Dialect, _ folders: ConfigurationFolders, _ withIncludes: Bool) throws(BackupError) -> [String] {
        let main = folders.mainFiles(owner).first(where: exists).map { [$0] } ?? []
        guard withIncludes else { return main }
        return main + (try includes(folders.folder(owner) + "/" + ConfigurationFolders.includeFolder) ?? [])
    }

    /// False only where there is nothing: what cannot be looked at is found out by reading it.
    private func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }

    private mutating func append(_ path: String) throws(BackupError) -> Bool {
        guard let bytes = try readFile(path) else { return false }
        try file.append(bytes, path: path, isPeers: (ConfigurationFolders.owner(ofFile: path) ?? owner) == .pgBackRest)
        return true
    }

    /// The `*.conf` files in the order of their names; nil when there is no such folder.
    private func includes(_ folder: String) throws(BackupError) -> [String]? {
        guard let stream = opendir(folder) else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw BackupError(.pathOpen, "unable to open the configuration folder '\(folder)': \(systemMessage(errno))")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(".conf") { names.append(name) }
        }
        return names.sorted().map { folder + "/" + $0 }
    }
}
