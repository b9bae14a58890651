namespace Repmgr.Engine.Cloning;

/// <summary>How far a copy is.</summary>
/// <param name="Phase">What is going on: <c>waiting for the checkpoint</c>, <c>copying</c>.</param>
/// <param name="Done">Bytes done; null when the phase has no size.</param>
/// <param name="Total">Bytes expected; null when not known. May change while the source changes.</param>
public sealed record CopyProgress(string Phase, long? Done = null, long? Total = null);
