#!/usr/bin/env escript
%% The system of two Erlang nodes on this machine (OTP 25 or later), with the
%% arguments and the output of the Go programs beside it.
-mode(compile).

-define(NAME, "Erlang, two nodes").

benches() ->
    [{"ask_64b", fun(W, S) -> pings(W, 0, S) end},
     {"ask_64b_cold", fun(W, S) -> pings(W, 10, S) end},
     {"tell_64b", fun(W, S) -> flood(W, 40, S) end}, % and 24 for the tuple around it
     {"tell_1k", fun(W, S) -> flood(W, 1024, S) end},
     {"payload_1mib", fun(W, S) -> flood(W, 1 bsl 20, S) end}].

main(["list"]) ->
    Can = lists:join(",", [io_lib:format("\"~s\":[\"~s\"]", [B, ?NAME]) || {B, _} <- benches()]),
    io:format("{\"Systems\":[\"~s\"],\"Can\":{~s},\"Modules\":{\"Erlang/OTP\":\"~s\"}}~n",
              [?NAME, Can, erlang:system_info(otp_release)]);
main(["round", Bench, _, Scale]) ->
    timer:apply_after(25000, erlang, halt, [1]), % nothing is to hang
    {Bench, Run} = lists:keyfind(Bench, 1, benches()),
    os:cmd("epmd -daemon"),
    {ok, _} = net_kernel:start([list_to_atom("bench" ++ os:getpid()), shortnames]),
    Source = filename:join(filename:dirname(escript:script_name()), "worker"),
    {ok, worker, Code} = compile:file(Source, [binary]),
    {module, worker} = code:load_binary(worker, "worker", Code),
    {ok, Peer, Node} = peer:start(#{name => peer:random_name()}),
    {module, worker} = erpc:call(Node, code, load_binary, [worker, "worker", Code]),
    Worker = spawn(Node, worker, loop, []),
    io:format("[~s]~n", [lists:join(",", Run(Worker, list_to_integer(Scale)))]),
    peer:stop(Peer);
main(_) ->
    io:format(standard_error, "this program is run by the one in the folders above~n", []),
    halt(1).

pings(Worker, Pause, Scale) ->
    N = case Pause of
            0 -> element(Scale + 1, {10000, 2000, 20});
            _ -> element(Scale + 1, {100, 25, 2})
        end,
    Body = worker:body(40),
    [ping(Worker, Body) || _ <- lists:seq(1, 100)],
    Took = lists:sort([begin Pause > 0 andalso timer:sleep(Pause), ping(Worker, Body) end || _ <- lists:seq(1, N)]),
    At = fun(Percent) -> lists:nth(min(N, N * Percent div 100 + 1), Took) / 1000 end,
    [figure("p50", "\\u00b5s", At(50), At(99), N)].

ping(Worker, Body) ->
    Start = erlang:monotonic_time(nanosecond),
    Worker ! {ping, self(), Body},
    receive {pong, Body} -> erlang:monotonic_time(nanosecond) - Start end.

flood(Worker, Size, Scale) ->
    Body = worker:body(Size),
    Small = max(1, element(Scale + 1, {32 bsl 20, 8 bsl 20, 1 bsl 20}) div (Size + 1024)),
    {_, _, First} = timed(Worker, Body, Small),
    N = max(Small, trunc(Small * element(Scale + 1, {0.6, 0.12, 0.002}) / First)),
    {Got, Bad, Seconds} = timed(Worker, Body, N),
    Rate = Got / Seconds,
    Lost = figure("lost", "msgs", N - Got + Bad, 0, N),
    case Size of
        _ when Size >= 1 bsl 20 -> [figure("throughput", "MiB/s", Rate * Size / (1 bsl 20), 0, N), Lost];
        1024 -> [figure("rate", "msgs/s", Rate, 0, N), figure("throughput", "MB/s", Rate * Size / 1.0e6, 0, N), Lost];
        _ -> [figure("rate", "msgs/s", Rate, 0, N), Lost]
    end.

timed(Worker, Body, N) ->
    Start = erlang:monotonic_time(nanosecond),
    [Worker ! {tell, Seq, Body} || Seq <- lists:seq(0, N - 1)],
    Worker ! {report, self()},
    receive {seen, Got, Bad} -> {Got, Bad, (erlang:monotonic_time(nanosecond) - Start) / 1.0e9} end.

figure(Metric, Unit, Value, P99, N) ->
    io_lib:format("{\"metric\":\"~s\",\"unit\":\"~s\",\"value\":~p,\"p99\":~p,\"n\":~p}", [Metric, Unit, Value, P99, N]).
