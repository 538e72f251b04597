// Storages that are broken on purpose, each in one way, with the checks that must see it.

import BackstopCore
import BackstopDrivers
import Synchronization

enum StorageFault: String, CaseIterable {
    case dropsTheLastByteOfLargeObjects, takesAShortReadForTheEnd, losesWhatDoesNotFit, overwritesWithoutTruncating
    case keepsWhatCameBeforeAFailure, removesTheOldFirst, swallowsTheErrorOfTheSource
    case ignoresTheRangesEnd, refusesRangesPastTheEnd, takesAnEmptyRangeForAll
    case opensTheMissing, statsTheMissingWithAnError, forgetsToRemove, refusesToRemoveTheMissing
    case writesInPlace, waitsForAReaderMidway, servesOneAtATime, hidesTheLazyUntilSync, ignoresIfAbsent, asksFirstPutsLater
    case listsAllForAFolder, listsAFolderForAll, listsRelativeKeys, refusesToListTheMissing, listsByPlainPrefix, listsStale
    case swallowsTheErrorOfTheVisitor, listsOnePage, mixesPlusAndSpace, listsEncoded, refusesLongNames, answersWrongSizes
    case ignoresTheBeginning, stopsRemovingAtTheMissing
    case losesTheLastByteAbove8MiB, losesTheLastByteAbove64MiB, losesAnEntryIn5000, losesAnEntryIn10000, removesTheFirstHundred
    case keepsAnUnlockedIndex, ignoresThePath

    /// The names of the checks that must fail.
    var caughtBy: [String] {
        switch self {
        case .dropsTheLastByteOfLargeObjects, .answersWrongSizes: ["round trip at many sizes"]
        case .takesAShortReadForTheEnd: ["sources that give odd pieces and end late"]
        case .losesWhatDoesNotFit: ["reading in tiny pieces"]
        case .overwritesWithoutTruncating: ["a put replaces all of the old object"]
        case .keepsWhatCameBeforeAFailure: ["a source that fails leaves no object", "a source that fails leaves the old bytes"]
        case .removesTheOldFirst: ["a source that fails leaves the old bytes", "the old bytes are seen while they are replaced"]
        case .swallowsTheErrorOfTheSource: ["a source that fails leaves no object"]
        case .ignoresTheRangesEnd: ["ranges are exact"]
        case .refusesRangesPastTheEnd: ["a range past the end gives what there is"]
        case .takesAnEmptyRangeForAll: ["an empty range gives no bytes"]
        case .opensTheMissing: ["opening what is missing is notFound"]
        case .statsTheMissingWithAnError: ["stat of what is missing answers nothing"]
        case .forgetsToRemove: ["remove removes", "removeAll leaves nothing", "a listing is fresh"]
        case .refusesToRemoveTheMissing: ["removing what is missing succeeds"]
        case .writesInPlace:
            ["no part of a new object is seen while it is put", "the old bytes are seen while they are replaced"]
        case .waitsForAReaderMidway: ["a reader at the same time sees one object or the other"]
        case .servesOneAtATime: ["many puts and gets at a time", "puts of one key at a time leave one of them"]
        case .hidesTheLazyUntilSync: ["what is put without durability is seen at once and can be synced"]
        case .ignoresIfAbsent: ["put if absent", "of many puts if absent one wins"]
        case .asksFirstPutsLater: ["of many puts if absent one wins"]
        case .listsAllForAFolder, .listsRelativeKeys: ["a folder listing shows what is directly in it"]
        case .listsAFolderForAll: ["a whole listing shows everything below"]
        case .refusesToListTheMissing: ["a listing of what is missing is empty"]
        case .listsByPlainPrefix: ["a listing does not show neighbours"]
        case .listsStale: ["a listing is fresh"]
        case .swallowsTheErrorOfTheVisitor: ["the error of a visitor ends the listing"]
        case .listsOnePage: ["a listing of many entries is whole"]
        case .mixesPlusAndSpace: ["names are kept byte for byte"]
        case .listsEncoded: ["names are kept byte for byte", "folders with odd names"]
        case .refusesLongNames: ["long names and deep folders"]
        case .ignoresTheBeginning: ["a listing of names with a beginning"]
        case .stopsRemovingAtTheMissing: ["many are removed, the missing too"]
        case .losesTheLastByteAbove8MiB, .losesTheLastByteAbove64MiB: ["objects as large as real ones come back"]
        case .losesAnEntryIn5000, .losesAnEntryIn10000: ["a listing of many entries is whole"]
        case .removesTheFirstHundred: ["as many as one call may have are removed"]
        case .keepsAnUnlockedIndex:
            ["what is put at the same moment is all there", "what is put and removed at the same moment is there and gone"]
        case .ignoresThePath: ["another path is another repository"]
        }
    }
}

final class FaultyStorage: Storage {
    private let memory = MemoryStorage()
    private let fault: StorageFault
    private let hidden = Mutex<[Key: [UInt8]]>([:])
    private let stale = Mutex<[Key: [Entry]]>([:])
    private let opens = Atomic<Int>(0)
    private let underWay = Atomic<Int>(0)

    private let index = Mutex<Set<Key>>([])

    init(_ fault: StorageFault) { self.fault = fault }

    /// As a driver does that reads a list of all names, changes it and writes it anew.
    private func changeIndex(_ change: (inout Set<Key>) -> Void) async {
        var read = index.withLock { $0 }
        try? await Task.sleep(for: .milliseconds(2))
        change(&read)
        index.withLock { $0 = read }
    }

    var capabilities: Capabilities { memory.capabilities }
    var location: String { "faulty" }

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        opens.add(1, ordering: .sequentiallyConsistent)
        let stored = stored(key)
        guard let size = try await memory.stat(stored)?.size else {
            if fault == .opensTheMissing { return BytesSource([]) }
            return try await memory.open(stored, range: range)
        }
        switch (fault, range) {
        case (.ignoresTheRangesEnd, let range?) where !range.isEmpty && range.lowerBound < size:
            return try await memory.open(stored, range: range.lowerBound..<size)
        case (.refusesRangesPastTheEnd, let range?) where range.upperBound > size:
            throw BackupError(.invalid, "the range ends past the object")
        case (.takesAnEmptyRangeForAll, let range?) where range.isEmpty:
            return try await memory.open(stored, range: nil)
        case (.losesWhatDoesNotFit, nil):
            return WastefulSource(bytes: try await memory.read(stored))
        default:
            return try await memory.open(stored, range: range)
        }
    }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        let key = stored(key)
        var options = options
        switch fault {
        case .refusesLongNames where key.name.utf8.count > 240:
            throw BackupError(.invalid, "the name is too long")
        case .dropsTheLastByteOfLargeObjects:
            var bytes = try await source.readAll()
            if bytes.count > 1 << 20 { bytes.removeLast() }
            return try await memory.put(key, bytes: bytes, options)
        case .takesAShortReadForTheEnd:
            var block = Block(capacity: 64 << 10)
            var bytes: [UInt8] = []
            repeat {
                block.clear()
                guard try await block.fill(from: &source) else { break }
                bytes += block.array
            } while block.count == block.capacity
            return try await memory.put(key, bytes: bytes + block.array, options)
        case .overwritesWithoutTruncating:
            let bytes = try await source.readAll()
            let old = try await current(key)
            return try await memory.put(key, bytes: bytes + old.dropFirst(bytes.count), options)
        case .keepsWhatCameBeforeAFailure, .swallowsTheErrorOfTheSource, .writesInPlace:
            return try await putPiecewise(key, &source, options)
        case .removesTheOldFirst:
            try await memory.remove(key)
        case .waitsForAReaderMidway:
            let bytes = try await source.readAll()
            try await memory.put(key, bytes: Array(bytes.prefix(bytes.count / 2)))
            let before = opens.load(ordering: .sequentiallyConsistent)
            await spin { self.opens.load(ordering: .sequentiallyConsistent) > before + 1 }
            return try await memory.put(key, bytes: bytes, options)
        case .servesOneAtATime:
            defer { underWay.subtract(1, ordering: .sequentiallyConsistent) }
            if underWay.add(1, ordering: .sequentiallyConsistent).oldValue > 0 { throw BackupError(.unavailable, "busy") }
            await spin { self.underWay.load(ordering: .sequentiallyConsistent) > 1 }
        case .hidesTheLazyUntilSync where options.durability != .now:
            let bytes = try await source.readAll()
            hidden.withLock { $0[key] = bytes }
            return Entry(key: key, kind: .file, size: UInt64(bytes.count), modified: 1_700_000_000)
        case .ignoresIfAbsent:
            options.ifAbsent = false
        case .asksFirstPutsLater where options.ifAbsent:
            if try await memory.stat(key) != nil { throw BackupError(.alreadyExists, "it is there") }
            underWay.add(1, ordering: .sequentiallyConsistent)
            await spin { self.underWay.load(ordering: .sequentiallyConsistent) > 1 }
            options.ifAbsent = false
        case .losesTheLastByteAbove8MiB, .losesTheLastByteAbove64MiB:
            var bytes = try await source.readAll()
            if bytes.count > (fault == .losesTheLastByteAbove8MiB ? 8 : 64) << 20 { bytes.removeLast() }
            return try await memory.put(key, bytes: bytes, options)
        case .keepsAnUnlockedIndex:
            let entry = try await memory.put(key, from: &source, options)
            await changeIndex { $0.insert(key) }
            return entry
        case .answersWrongSizes:
            var entry = try await memory.put(key, from: &source, options)
            entry.size /= 512
            return entry
        default: break
        }
        var entry = try await memory.put(key, from: &source, options)
        entry.key = shown(entry.key)
        return entry
    }

    /// Whoever looks sees what came so far.
    private func putPiecewise<Source: ByteSource & ~Copyable>(
        _ key: Key, _ source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        var block = Block(capacity: 64 << 10)
        var bytes: [UInt8] = []
        var more = true
        while more {
            block.clear()
            do throws(BackupError) {
                more = try await block.fill(from: &source)
            } catch {
                if fault == .swallowsTheErrorOfTheSource { break }
                if fault == .keepsWhatCameBeforeAFailure { try await memory.put(key, bytes: bytes) }
                throw error
            }
            bytes += block.array
            if fault == .writesInPlace { try await memory.put(key, bytes: bytes) }
        }
        return try await memory.put(key, bytes: bytes, options)
    }

    func stat(_ key: Key) async throws(BackupError) -> Entry? {
        var entry = try await memory.stat(stored(key))
        if entry == nil && fault == .statsTheMissingWithAnError { throw BackupError(.notFound, "it is not there") }
        entry?.key = key
        return entry
    }

    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        var depth = depth
        if case .names = depth, fault == .ignoresTheBeginning { depth = .folder }
        var entries = try await memory.list(prefix, fault == .listsAllForAFolder ? .all : fault == .listsAFolderForAll ? .folder : depth)
        switch fault {
        case .listsRelativeKeys:
            for index in entries.indices { entries[index].key = Key(String(entries[index].key.name)) }
        case .refusesToListTheMissing where entries.isEmpty:
            throw BackupError(.notFound, "the folder is not there")
        case .listsByPlainPrefix:
            entries = try await memory.list(prefix.parent, .all).filter { $0.key.path.hasPrefix(prefix.path) }
        case .listsStale:
            entries = stale.withLock { stale in
                defer { stale[prefix] = stale[prefix] ?? entries }
                return stale[prefix] ?? entries
            }
        case .listsOnePage:
            entries = Array(entries.prefix(1000))
        case .losesAnEntryIn5000, .losesAnEntryIn10000:
            let lost = fault == .losesAnEntryIn5000 ? 5000 : 10_000
            entries = entries.enumerated().filter { $0.offset % lost != lost - 1 }.map(\.element)
        case .keepsAnUnlockedIndex:
            let index = index.withLock { $0 }
            entries = entries.filter { $0.kind != .file || index.contains($0.key) }
        default: break
        }
        for var entry in entries {
            entry.key = shown(entry.key)
            if fault == .swallowsTheErrorOfTheVisitor {
                do throws(BackupError) { try visit(entry) } catch { return }
            } else {
                try visit(entry)
            }
        }
    }

    func remove(_ key: Key) async throws(BackupError) {
        if fault == .forgetsToRemove { return }
        if fault == .refusesToRemoveTheMissing, try await stat(key) == nil { throw BackupError(.notFound, "it is not there") }
        try await memory.remove(stored(key))
        if fault == .keepsAnUnlockedIndex { await changeIndex { $0.remove(key) } }
    }

    func remove(_ keys: [Key]) async throws(BackupError) {
        for key in fault == .removesTheFirstHundred ? Array(keys.prefix(100)) : keys {
            if fault == .stopsRemovingAtTheMissing, try await stat(key) == nil { return }
            try await remove(key)
        }
    }

    func sync(_ prefix: Key) async throws(BackupError) {
        let found = hidden.withLock { $0 }
        for (key, bytes) in found { try await memory.put(key, bytes: bytes) }
    }

    private func current(_ key: Key) async throws(BackupError) -> [UInt8] {
        try await memory.stat(key) == nil ? [] : try await memory.read(key)
    }

    private func stored(_ key: Key) -> Key {
        fault == .mixesPlusAndSpace ? Key(String(key.path.map { $0 == "+" ? " " : $0 })) : key
    }

    private func shown(_ key: Key) -> Key {
        fault == .listsEncoded ? Key(key.path.split(separator: " ", omittingEmptySubsequences: false).joined(separator: "%20")) : key
    }
}

/// Waits for others, but not for ever.
private func spin(until condition: @Sendable () -> Bool) async {
    let deadline = ContinuousClock.now + .seconds(2)
    while !condition() && ContinuousClock.now < deadline { await Task.yield() }
}

/// Reads a thousand bytes at a time, whatever room there is for them.
private struct WastefulSource: ByteSource, ~Copyable {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        let count = min(1000, bytes.count - position)
        out.append(contentsOf: bytes, position..<position + min(count, out.freeCapacity))
        position += count
        return position < bytes.count
    }
}

extension Block {
    fileprivate var array: [UInt8] { withBytes { span in span.withUnsafeBytes { Array($0) } } }
}
