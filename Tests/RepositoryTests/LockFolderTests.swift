import Testing

@testable import BackstopCommands

/// Whose files count in a folder that others may have made.
struct LockFolderTests {
    private typealias Facts = LockFolder.Facts
    private static let (root, ours, other): (UInt32, UInt32, UInt32) = (0, 26, 1000)
    private static func folder(_ owner: UInt32) -> Facts { Facts(owner: owner, isFolder: true) }
    private static func file(_ owner: UInt32) -> Facts { Facts(owner: owner, isPlainFile: true) }

    struct Case: Sendable {
        let folder: LockFolder.Facts?, file: LockFolder.Facts?
        let finding: LockFolder.Finding
    }

    static let cases = [
        Case(folder: nil, file: nil, finding: .nothing),
        Case(folder: folder(ours), file: nil, finding: .nothing),
        Case(folder: folder(other), file: nil, finding: .nothing),
        Case(folder: folder(ours), file: file(ours), finding: .counts),
        Case(folder: folder(ours), file: file(root), finding: .counts),
        Case(folder: folder(root), file: file(ours), finding: .counts),
        Case(folder: folder(root), file: file(root), finding: .counts),
        Case(folder: folder(other), file: file(ours), finding: .foreign(owner: other)),
        Case(folder: folder(other), file: file(root), finding: .foreign(owner: other)),
        Case(folder: folder(ours), file: file(other), finding: .foreign(owner: other)),
        Case(folder: folder(root), file: file(other), finding: .foreign(owner: other)),
        // Links, folders and second names.
        Case(folder: folder(ours), file: Facts(owner: ours), finding: .nothing),
        Case(folder: folder(ours), file: Facts(owner: other), finding: .foreign(owner: other)),
        Case(folder: Facts(owner: ours), file: file(ours), finding: .nothing),
        Case(folder: Facts(owner: other), file: file(ours), finding: .foreign(owner: other)),
    ]

    @Test(arguments: cases) func counts(_ example: Case) {
        #expect(LockFolder.judge(example.folder, example.file, [Self.root, Self.ours]) == example.finding)
    }
}
