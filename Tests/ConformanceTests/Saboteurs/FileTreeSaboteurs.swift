// File trees that are broken on purpose, each in one way, with the check that must see it.

import BackstopCore
import BackstopDrivers

enum FileTreeFault: String, CaseIterable {
    case makesNoFoldersAbove, emptiesAFolderMadeAgain, makesAFolderOverAFile, refusesToRemoveAMissingFolder, removesFullFolders
    case removesEmptiedFolders, makesLinksAbsolute, removesTheTarget, linksSymbolicallyForHard, linksOverFiles
    case ignoresAttributes, forgetsOtherAttributes

    var caughtBy: String {
        switch self {
        case .makesNoFoldersAbove: "a folder is made with those above it"
        case .emptiesAFolderMadeAgain: "making a folder that exists leaves it"
        case .makesAFolderOverAFile: "a folder is not made over a file"
        case .refusesToRemoveAMissingFolder: "an empty folder is removed, a missing one is no error"
        case .removesFullFolders: "a folder that is not empty is not removed"
        case .removesEmptiedFolders: "removing the last file leaves the folder"
        case .makesLinksAbsolute: "a symbolic link keeps its text"
        case .removesTheTarget: "removing a link leaves its target"
        case .linksSymbolicallyForHard: "a hard link is the same file under another name"
        case .linksOverFiles: "a link is not made over what is there"
        case .ignoresAttributes: "put sets mode and time"
        case .forgetsOtherAttributes: "attributes are set, and those not named are left"
        }
    }
}

final class FaultyTree: FileTree {
    private let memory = MemoryTree()
    private let fault: FileTreeFault

    init(_ fault: FileTreeFault) { self.fault = fault }

    var capabilities: Capabilities { memory.capabilities }
    var location: String { "faulty" }

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try await memory.open(key, range: range)
    }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        var options = options
        if fault == .ignoresAttributes { options.attributes = Attributes() }
        return try await memory.put(key, from: &source, options)
    }

    func stat(_ key: Key) async throws(BackupError) -> Entry? { try await memory.stat(key) }

    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        try await memory.list(prefix, depth, visit)
    }

    func remove(_ key: Key) async throws(BackupError) {
        if fault == .removesTheTarget, let target = try await memory.stat(key)?.target { try await memory.remove(key.parent / target) }
        try await memory.remove(key)
        if fault == .removesEmptiedFolders, try await memory.list(key.parent).isEmpty { try await memory.remove(key.parent) }
    }

    func sync(_ prefix: Key) async throws(BackupError) {}

    func makeDirectory(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        switch fault {
        case .emptiesAFolderMadeAgain:
            for entry in try await memory.list(key, .all) { try await memory.remove(entry.key) }
        case .makesAFolderOverAFile:
            try await memory.remove(key)
        default: break
        }
        try await memory.makeDirectory(key, attributes)
        if fault == .makesNoFoldersAbove { try await memory.remove(key.parent) }
    }

    func removeDirectory(_ key: Key) async throws(BackupError) {
        let found = try await memory.stat(key) != nil
        if fault == .refusesToRemoveAMissingFolder && !found { throw BackupError(.notFound, "it is not there") }
        if fault == .removesFullFolders { return try await memory.remove(key) }
        try await memory.removeDirectory(key)
    }

    func link(_ key: Key, to target: String, _ kind: LinkKind) async throws(BackupError) {
        if fault == .linksOverFiles { try await memory.remove(key) }
        let text = fault == .makesLinksAbsolute && !target.hasPrefix("/") ? "/\(target)" : target
        try await memory.link(key, to: text, fault == .linksSymbolicallyForHard ? .symbolic : kind)
    }

    func setAttributes(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        let before = fault == .forgetsOtherAttributes ? Attributes(mode: 0o600, modified: unixNow()) : Attributes()
        try await memory.setAttributes(key, before)
        try await memory.setAttributes(key, attributes)
    }
}
