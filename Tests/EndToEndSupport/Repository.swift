// What a repository may be: where it is, how it is compressed, whether it is encrypted. A test that is written once runs over a table of these.

import Foundation

/// A kind of storage that can hold a repository.
public struct RepositoryKind: Sendable, CustomStringConvertible {
    public let description: String
    /// Whether pgBackRest can use it too: it speaks to a store by TLS only.
    public var peerReads = true
    /// Whether its own host runs the backups.
    public var isPulled: Bool { description == Self.pulled.description }
    /// Whether it is a folder on this host.
    public var isFolder: Bool { description == Self.posix.description }
    /// An empty place of this kind, which lives as long as the folder. A folder can have several, each with a name.
    public let place: @Sendable (_ folder: TemporaryFolder, _ name: String) throws -> Place

    public struct Place: Sendable {
        /// The repo1-… options that point at it.
        public let options: [(String, String)]
        public let files: any RepositoryFiles
        /// What every command line needs besides.
        public var arguments: [String]
        /// Where the repository has a host of its own that runs backups: what the configuration of that host says of the repository and of
        /// where the cluster is. `options` is for the cluster's host then.
        public var repositoryHost: (global: [(String, String)], stanza: [String])?

        public init(
            options: [(String, String)], files: any RepositoryFiles, arguments: [String] = [],
            repositoryHost: (global: [(String, String)], stanza: [String])? = nil
        ) {
            self.options = options
            self.files = files
            self.arguments = arguments
            self.repositoryHost = repositoryHost
        }

        /// A folder on this host, whatever the options say that it is.
        public static func folder(_ path: String, _ options: [(String, String)], _ arguments: [String] = []) -> Place {
            Place(options: options, files: FolderFiles(path: path), arguments: arguments)
        }

        /// A path of the bucket of a store, perhaps by way of a proxy at `port`.
        public static func bucket(_ store: ObjectStore, path: String, tls: Bool = false, port: Int? = nil) -> Place {
            Place(options: store.options(path: path, tls: tls, port: port), files: BucketFiles(store: store, path: path))
        }

        /// The options of repository `number`.
        func options(of number: Int) -> [(String, String)] {
            // Others, io-timeout say, are for all repositories.
            options.map { ($0.0.hasPrefix("repo1-") ? "repo\(number)" + $0.0.dropFirst("repo1".count) : $0.0, $0.1) }
        }
    }

    public init(
        description: String, peerReads: Bool = true, place: @escaping @Sendable (_ folder: TemporaryFolder, _ name: String) throws -> Place
    ) {
        self.description = description
        self.peerReads = peerReads
        self.place = place
    }

    /// A folder on this host.
    public static let posix = RepositoryKind(description: "posix") { folder, name in
        let path = try folder.makeDirectory(name, mode: "750")
        return Place(options: [("repo1-path", path)], files: FolderFiles(path: path))
    }

    /// A bucket of a real object store, by http.
    public static let s3 = RepositoryKind(description: "s3", peerReads: false) { try bucket($0, $1, tls: false) }

    /// The same by https, with a certificate that only its own authority vouches for.
    public static let s3TLS = RepositoryKind(description: "s3 with TLS") { try bucket($0, $1, tls: true) }

    private static func bucket(_ folder: TemporaryFolder, _ name: String, tls: Bool) throws -> Place {
        let store = try ObjectStore.shared.get()
        let path = "/\(URL(fileURLWithPath: folder.path).lastPathComponent)/\(name)"
        return .bucket(store, path: path, tls: tls)
    }

    /// A folder of another host: this one, by way of an ssh server of the tests.
    public static let ssh = RepositoryKind(description: "ssh", peerReads: false) { folder, name in
        let path = try folder.makeDirectory(name, mode: "750")
        let server = try SecureShell.shared.get()
        // Its own lock folder, as every host has one: tests at the same time use stanzas of the same name.
        let locks = try folder.makeDirectory("far-lock")
        let there = try folder.write("far-\(name).conf", "[global]\nlock-path=\(locks)\nlog-level-file=off\n")
        return Place(
            options: server.options + [("repo1-type", "ssh"), ("repo1-path", path), ("repo1-host-config", there)],
            files: FolderFiles(path: path))
    }

    /// A repository host that pulls: it runs backups and reaches the cluster through an ssh server; the cluster's host archives to it.
    public static let pulled = RepositoryKind(description: "pulled", peerReads: false) { folder, name in
        let path = try folder.makeDirectory(name, mode: "750")
        let server = try SecureShell.shared.get()
        return Place(
            options: server.options + [("repo1-host-config", folder.path(Workbench.repositoryHostFile))], files: FolderFiles(path: path),
            repositoryHost: (
                [("repo1-path", path), ("cmd-ssh", server.client)],
                server.clusterOptions + ["pg1-host-config=\(folder.path(Workbench.clusterHostFile))"]
            ))
    }

    /// The same by SFTP, without our program there.
    public static let sftp = RepositoryKind(description: "sftp", peerReads: false) { folder, name in
        let path = try folder.makeDirectory(name, mode: "750")
        let server = try SecureShell.shared.get()
        return Place(options: server.sftpOptions + [("repo1-path", path)], files: FolderFiles(path: path))
    }

    /// A folder kept by the example of a third party's driver.
    public static let program = RepositoryKind(description: "a driver in Python", peerReads: false) { folder, name in
        let path = try folder.makeDirectory(name, mode: "750")
        let driver = try Drivers.copy("Examples/python-driver/folder-driver", into: folder)
        let plugins = try folder.write("plugins.conf", Drivers.plugins("folder = exec \(driver)"))
        return Place(
            options: [("repo1-type", "folder"), ("repo1-path", "/kept"), ("repo1-folder-root", path)],
            files: FolderFiles(path: path + "/kept", growing: "../.growing"),
            arguments: ["--plugins=\(plugins)"])
    }

    /// The same place, pointed at with other options.
    public func with(_ changes: [String: String], without missing: [String] = []) -> RepositoryKind {
        RepositoryKind(description: "\(description), changed", peerReads: peerReads) { [place] folder, name in
            let place = try place(folder, name)
            let kept = place.options.filter { changes[$0.0] == nil && !missing.contains($0.0) }
            return Place(
                options: kept + changes.map { ($0.key, $0.value) }, files: place.files, arguments: place.arguments,
                repositoryHost: place.repositoryHost)
        }
    }

    /// Every kind but the folder on this host: a new one is added here, and `Feature` deals it to the end-to-end tests. A store without TLS
    /// differs in its connection only, and has tests of its own.
    static let others: [RepositoryKind] = [.s3TLS, .ssh, .pulled, .program, .sftp]
}

/// A row of the table that tests run over.
public struct RepositoryCase: Sendable, CustomStringConvertible {
    public let format: Format
    public let kind: RepositoryKind
    /// Counts the rows, from 1: the seed of a test with random moments.
    public let row: UInt64
    public var description: String { "\(format) on \(kind)" }

    public init(format: Format, kind: RepositoryKind, row: UInt64) { (self.format, self.kind, self.row) = (format, kind, row) }

    /// The first formats in a folder on this host, and each other kind of the feature with one of the others, by turns.
    public static func table(_ feature: Feature, _ formats: [Format], elsewhere: [Format]) -> [RepositoryCase] {
        let rows =
            formats.map { ($0, RepositoryKind.posix) }
            + feature.others.enumerated().map { (elsewhere[$0.offset % elsewhere.count], $0.element) }
        return rows.enumerated().map { RepositoryCase(format: $0.element.0, kind: $0.element.1, row: UInt64($0.offset) + 1) }
    }
}

public enum Codec: String, Sendable, CaseIterable, CustomStringConvertible {
    case none, gz, lz4, zst, bz2
    public var description: String { rawValue }
    /// The suffix of a stored file.
    public var suffix: String { self == .none ? "" : ".\(rawValue)" }
}

public enum Cipher: String, Sendable, CaseIterable, CustomStringConvertible {
    case none
    case aes = "aes-256-cbc"
    public var description: String { self == .none ? "open" : "sealed" }
}

/// How a repository is written.
public struct Format: Sendable, CustomStringConvertible {
    public let codec: Codec
    public let cipher: Cipher
    public var description: String { "\(codec) \(cipher)" }
    public static let passphrase = "a passphrase of the tests"

    public init(_ codec: Codec, _ cipher: Cipher = .none) {
        self.codec = codec
        self.cipher = cipher
    }

    /// Every codec with and without encryption.
    public static let all = Codec.allCases.flatMap { codec in Cipher.allCases.map { Format(codec, $0) } }

    /// The options of a repository of that number in this format.
    func options(_ number: Int) -> [(String, String)] {
        var options = [("compress-type", codec.rawValue)]
        if codec != .none { options.append(("compress-level", codec == .bz2 ? "2" : "1")) }
        if cipher != .none {
            options += [("repo\(number)-cipher-type", cipher.rawValue), ("repo\(number)-cipher-pass", Format.passphrase)]
        }
        return options
    }
}
