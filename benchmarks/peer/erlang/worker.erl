%% The receiver, on the other node.
-module(worker).
-export([loop/0, body/1]).

loop() -> loop(0, 0, 0).

%% Got messages, Bad of them, and the number that is Due.
loop(Got, Bad, Due) ->
    receive
        {ping, From, Body} ->
            From ! {pong, Body},
            loop(Got, Bad, Due);
        {tell, Seq, Body} ->
            Intact = Seq >= Due andalso Body =:= expected(byte_size(Body)),
            loop(Got + 1, Bad + (if Intact -> 0; true -> 1 end), max(Due, Seq + 1));
        {report, From} ->
            From ! {seen, Got, Bad},
            loop(0, 0, 0)
    end.

expected(Size) ->
    case get(Size) of
        undefined ->
            Body = body(Size),
            put(Size, Body),
            Body;
        Body ->
            Body
    end.

body(Size) -> list_to_binary([X rem 251 || X <- lists:seq(1, Size)]).
